// For the other @laneway packages. Nothing here is public: any release may change it.

export { formatAddress } from './endpoint/endpoint-host.js'
export { type ParseEndpointOptions, parseEndpoint } from './endpoint/parse-endpoint.js'
