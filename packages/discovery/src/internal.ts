export { lastingEndpoint, lastingOf } from './endpoint/lasting-endpoint.js'
// For the other @laneway packages. Nothing here is public: any release may change it.

export { formatAddress } from './endpoint/endpoint-host.js'
export { meantKey } from './endpoint/near-miss.js'
export { type ParseEndpointOptions, parseEndpoint } from './endpoint/parse-endpoint.js'
export { type LaneRow, laneRows } from './view/lane-rows.js'
export { RegistryView, type ServiceView } from './view/registry-view.js'
