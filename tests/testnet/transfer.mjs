// Signs a transfer of ether and prints the raw transaction. The one argument is a JSON object with the fields
// of an EIP-1559 transaction and `key`, all of them hexadecimal strings.

import { createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { createFeeMarket1559Tx } from "@ethereumjs/tx";
import { bytesToHex, hexToBytes } from "@ethereumjs/util";

const { key, ...fields } = JSON.parse(process.argv[2]);
const common = createCustomCommon({ chainId: Number(fields.chainId) }, Mainnet, { hardfork: Hardfork.Prague });
const signed = createFeeMarket1559Tx(fields, { common }).sign(hexToBytes(key));
console.log(bytesToHex(signed.serialize()));
