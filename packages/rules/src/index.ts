export type { ConditionTrace } from './condition/condition.js'
export { forwardedAddress, type RulesRequest } from './condition/request.js'
export {
  type CompiledRules,
  compileRules,
  type RuleDecision,
  type RulesExplanation,
  type RulesInput,
  type RuleTrace,
} from './decision/compile-rules.js'
export type { RulesOptions } from './decision/rules-options.js'
export { SLOTS, slotOf } from './decision/slots.js'
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
} from './document/document.js'
export { parseRules } from './document/parse-rules.js'
export type { RulesProblem } from './document/problems.js'
export { rulesSchema } from './document/rules-schema.js'
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
} from './manifest/manifest.js'
export { createRulesHolder, type RulesHolder, type RulesHolderOptions } from './reload/rules-holder.js'
export { type RulesWatch, type WatchRulesOptions, watchRules } from './reload/watch-rules.js'
