// What the extension reads, and from where.

/** The settings of the client, without its storage. */
export const options = { network: "mainnet", useDirectory: true };

export const owner = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
