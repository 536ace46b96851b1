// Reads what an Ethereum address holds, and proves it.

export type { Address, Hex } from "./hex.js";
export type { Assurance, Attempt, Block, Checkpoint, Origin, Vouched } from "./block.js";
export type { Activity, Change } from "./change.js";
export type { Claim, Verdict } from "./claim.js";
export { Client, createClient } from "./client.js";
export type { Clock } from "./clock.js";
export type { Derivation } from "./derivation.js";
export { SetupError, StorageFailure, TransportFailure } from "./errors.js";
export type { StorageFailureKind, TransportFailureKind } from "./errors.js";
export { ExtensionStorage } from "./extension-storage.js";
export type { ExtensionArea } from "./extension-storage.js";
export { FetchTransport } from "./fetch-transport.js";
export type {
  CoFailure,
  ConsensusFault,
  Diversity,
  EndpointHealth,
  Evidence,
  HeadsHealth,
  Health,
  RollupHealth,
  LogLine,
  StorageFault,
} from "./health.js";
export type { Holding, HoldingInput } from "./holding.js";
export { IndexedDbStorage } from "./indexed-db-storage.js";
export { MemoryStorage } from "./memory-storage.js";
export type { CallOptions, ClientOptions, Endpoint, EndpointInput, NetworkOptions, Pace, Policy, WasmSource } from "./options.js";
export { METHODS, ProviderError, saldoProvider } from "./provider.js";
export type { Eip1193Provider, ProviderErrorData, RequestArguments } from "./provider.js";
export { never } from "./reading.js";
export type {
  AccountReading,
  Freshness,
  HeldReading,
  Now,
  Proven,
  Provisional,
  Quorum,
  Reading,
  Sample,
  Unconfirmed,
  Unknown,
} from "./reading.js";
export { samples } from "./samples.js";
export { acknowledge } from "./storage.js";
export type { Storage, StorageAck, StorageChange, StorageSnapshot } from "./storage.js";
export type {
  ListedToken,
  ProvenToken,
  TokenGuard,
  TokenImplementation,
  TokenInfo,
  TokenLayout,
  TokenList,
  TokenReading,
  TokenSymbol,
} from "./token.js";
export type { PartialSum, Sum, Total } from "./total.js";
export type { HttpRequest, HttpResponse, HttpTransport } from "./transport.js";
export { formatEther, formatUnits, formatUnitsShort } from "./units.js";
export { Watch } from "./watch.js";
export type { Why, WhyCode } from "./why.js";
