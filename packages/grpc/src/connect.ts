export { type AnyTransport, type LaneTransportOptions, laneTransport, type TransportTarget } from './lane-transport.js'
