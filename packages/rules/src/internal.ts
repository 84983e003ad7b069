// For the other @laneway packages. Nothing here is public: any release may change it.

export { parseWrittenRequest, type WrittenRequest } from './condition/parse-request.js'
export { type Place, readYamlText, type TextProblem, type YamlText } from './document/yaml-text.js'
export { createBackendPick } from './manifest/backend-weights.js'
export { createHeaderModifier, type Headers } from './manifest/header-modifier.js'
export { createRouteMatcher, type RouteMatched } from './manifest/http-route.js'
