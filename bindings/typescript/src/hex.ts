// Bytes and addresses as text.

/** Bytes as `0x` and hexadecimal digits. */
export type Hex = `0x${string}`;

/** An address: `0x` and 40 hexadecimal digits. With a wrong checksum, its reading is `malformed_address`. */
export type Address = `0x${string}`;
