export { type LaneTransportOptions, laneTransport } from './connect/lane-transport.js'
export type { AnyTransport, TransportTarget } from './connect/transport-route.js'
