// Amounts as text, exactly.

/** Returns the exact quantity as a decimal fraction, without trailing zeros: 1500000000000000000n wei with 18 decimals is `1.5`. */
export function formatUnits(amount: bigint, decimals: number): string {
  const { whole, fraction } = split(amount, decimals);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** Returns wei as ether, exactly. */
export function formatEther(wei: bigint): string {
  return formatUnits(wei, 18);
}

/**
 * Returns the quantity cut to `places` digits after the point. An amount that is not zero never reads as zero: one that is too small for the
 * places is `<0.0001`.
 */
export function formatUnitsShort(amount: bigint, decimals: number, places = 4): string {
  if (!Number.isInteger(places) || places < 0) throw new RangeError("places must be a whole number that is not negative");
  const { whole, fraction } = split(amount, decimals);
  const cut = fraction.slice(0, places).replace(/0+$/, "");
  if (cut !== "") return `${whole}.${cut}`;
  if (whole !== "0" || fraction === "") return whole;
  return places === 0 ? "<1" : `<0.${"1".padStart(places, "0")}`;
}

function split(amount: bigint, decimals: number): { whole: string; fraction: string } {
  if (amount < 0n) throw new RangeError("an amount is never negative");
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 255) throw new RangeError("decimals must be 0 to 255");
  const digits = amount.toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return { whole: digits.slice(0, point), fraction: digits.slice(point).replace(/0+$/, "") };
}
