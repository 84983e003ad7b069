import type { IncomingMessage } from 'node:http'
import type { Lane } from '@laneway/core'
import type { RuleDecision, RulesRequest } from '@laneway/rules'
import type { Backend } from './backend.js'
import type { RouteTable } from './route-table.js'

/** What was decided about a request while its lane was. */
export interface Routing {
  /** `null`: the route is there, and no backend has a weight. */
  backend: Backend | null | undefined
  rule: RuleDecision | undefined
  /** No rule decided, but one may for another caller of the same URL. */
  rulesPerCaller: boolean
}

const kRouting = Symbol('laneway.gateway.routing')

type RoutedRequest = object & { [kRouting]?: Routing }

/** Colouring rules as the gateway asks them. */
export interface Rules {
  decide(request: RulesRequest): RuleDecision | undefined
  /**
   * Whether any rule looks at the caller of a request that none decides.
   * @default true: rules that cannot tell may
   */
  dependsOnCaller?(request: RulesRequest): boolean
}

/** Rules and routes that can be replaced; a request meets either the old or the new ones. */
export class RoutingTables {
  routes: RouteTable
  rules: Rules | undefined

  constructor(routes: RouteTable, rules: Rules | undefined) {
    this.routes = routes
    this.rules = rules
  }

  /**
   * The lane of a request that no believed sender has coloured: by the rules, else by the route that takes it. This is
   * the option `rules` of the ingress, so it runs once, after what was not believed has been removed.
   */
  readonly laneOf = (request: RulesRequest): Lane | undefined => {
    const routing = this.#route(request)
    routing.rule = this.rules?.decide(request)
    // A rule that says `lane: null` ends the search.
    if (routing.rule !== undefined) return routing.rule.lane
    const lane = routing.backend?.lane
    if (lane !== undefined && this.rules !== undefined) {
      routing.rulesPerCaller = this.rules.dependsOnCaller?.(request) ?? true
    }
    return lane
  }

  routingOf(request: IncomingMessage): Routing {
    return (request as RoutedRequest)[kRouting] ?? this.#route(request)
  }

  #route(request: RulesRequest): Routing {
    const routing: Routing = { backend: this.routes.find(request), rule: undefined, rulesPerCaller: false }
    ;(request as RoutedRequest)[kRouting] = routing
    return routing
  }
}

/** Whether another caller of the same URL may get an answer from another lane. */
export function isPerCaller(lane: Lane | undefined, { backend, rule, rulesPerCaller }: Routing): boolean {
  if (lane === undefined) return false
  if (rule !== undefined && rule.lane === lane) return rule.perCaller
  if (backend?.lane === lane) return backend.perCaller || rulesPerCaller
  // A header of the request said it.
  return true
}
