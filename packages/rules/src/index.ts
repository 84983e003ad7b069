// For users

// For the other @laneway packages
export { createBackendPick } from './backend-weights.js'
export {
  type CompiledRules,
  compileRules,
  type RuleDecision,
  type RulesExplanation,
  type RulesInput,
  type RuleTrace,
} from './compile-rules.js'
export type { ConditionTrace } from './condition.js'
export type {
  AddressTest,
  Condition,
  KeySource,
  NamedTest,
  Rule,
  RulesDocument,
  Split,
  SplitLane,
  TextTest,
} from './document.js'
export { createHeaderModifier, type Headers } from './header-modifier.js'
export { createRouteMatcher, type RouteMatched } from './http-route.js'
export type {
  HeaderModifier,
  HttpRoute,
  Manifest,
  RouteBackend,
  RouteFilter,
  RouteMatch,
  RouteRule,
  TrafficRouting,
  ValueMatch,
} from './manifest.js'
export { parseRules } from './parse-rules.js'
export type { RulesProblem } from './problems.js'
export { forwardedAddress, type RulesRequest } from './request.js'
export { createRulesHolder, type RulesHolder, type RulesHolderOptions } from './rules-holder.js'
export type { RulesOptions } from './rules-options.js'
export { rulesSchema } from './rules-schema.js'
export { SLOTS, slotOf } from './slots.js'
export { type RulesWatch, type WatchRulesOptions, watchRules } from './watch-rules.js'
