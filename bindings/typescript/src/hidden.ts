// What a browser does not say.

/** The outcome of a request of which the transport says no more than that it failed. */
const FAILED = "transport";

/** Only Node's `fetch` says why a request failed. */
const isHidden = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === undefined;

const CAN_BE =
  "the request failed, and a browser does not say why: the provider can be down, or send no CORS headers; or the page's policy, its HTTPS " +
  "or an extension blocks it";

/** Returns the text of an outcome; of one whose reason the browser hides, everything that it can be. */
export function explained(outcome: string | undefined, text: string): string {
  return isHidden && outcome === FAILED ? CAN_BE : text;
}
