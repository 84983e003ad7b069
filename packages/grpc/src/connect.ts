export { type LaneTransportOptions, laneTransport } from './lane-transport.js'
export type { AnyTransport, TransportTarget } from './transport-route.js'
