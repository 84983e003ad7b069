export {
  type GatewayApiTable,
  gatewayApiRoute,
  gatewayApiTables,
  type HeaderModifierCase,
  headerModifierCases,
  weightCase,
} from './gateway-api-cases.js'
export { type HeaderCase, headerCases } from './header-cases.js'
export {
  type IngressAdapter,
  overSocket,
  requestBytes,
  type SuiteCall,
  type SuiteHandler,
  type SuiteRequest,
  type SuiteTarget,
} from './ingress-adapter.js'
export { ingressSuite } from './ingress-suite.js'
export { type ApiFaults, type ApiRequestRecord, KubernetesApi } from './kubernetes/kubernetes-api.js'
export { KubernetesStore, type StoredObject, type StoreEvent } from './kubernetes/kubernetes-store.js'
export { listen } from './listen.js'
export { nodeMatrix } from './node-matrix.js'
export { rawRequest } from './raw-request.js'
export { withConsoleOutputs } from './readme-console.js'
export { readmeExample } from './readme-example.js'
export type { SourceAdapter, SuiteInstance, SuiteRegistry, SuiteServices } from './source-suite/source-adapter.js'
export { eventually, SourceReports } from './source-suite/source-reports.js'
export { sourceSuite } from './source-suite/source-suite.js'
