// Where the services find each other: a file here, a registry in production.
import { createFileSource, createLaneResolver } from '@laneway/discovery'

export const resolver = createLaneResolver({
  sources: [createFileSource(process.env.ENDPOINTS_FILE)],
  services: ['sc-A', 'sc-B', 'sc-C'],
})
