import type { Lane } from '@laneway/core'
import type { RuleDecision, RulesRequest } from '@laneway/rules'
import type { Backend } from './backend.js'
import type { RouteTable } from './route-table.js'

/** What was decided about a request while its lane was. */
export interface Routing {
  /** `null`: a route takes the request, and no backend of it has a weight. */
  backend: Backend | null | undefined
  rule: RuleDecision | undefined
  /** No rule decided, but a rule may decide for another caller of the same URL. */
  rulesPerCaller: boolean
}

const kRouting = Symbol('laneway.gateway.routing')

type RoutedRequest = object & { [kRouting]?: Routing | undefined }

/** Colouring rules, as the gateway calls them. */
export interface Rules {
  decide(request: RulesRequest): RuleDecision | undefined
  /**
   * Whether a rule looks at the caller of a request for which no rule decides.
   * @default true, because rules without this function may
   */
  dependsOnCaller?(request: RulesRequest): boolean
}

/** Rules and routes that can be replaced. A request sees either the old ones or the new ones. */
export class RoutingTables {
  routes: RouteTable
  rules: Rules | undefined

  /** What the last call of `laneOf` found. */
  #found: Routing | undefined

  constructor(routes: RouteTable, rules: Rules | undefined) {
    this.routes = routes
    this.rules = rules
  }

  /**
   * The lane of a request without a trusted tag: by the rules, else by the route that takes it. The ingress calls it as its
   * option `rules`, once, after it has removed what it does not trust, and with a view of the request.
   */
  readonly laneOf = Object.assign((request: RulesRequest): Lane | undefined => this.#laneOf(request), {
    ruleOf: () => this.#found?.rule?.rule,
    tracesOf: () => this.#found?.rule?.trace === true,
  })

  #laneOf(request: RulesRequest): Lane | undefined {
    const routing = this.#route(request)
    this.#found = routing
    routing.rule = this.rules?.decide(request)
    // A rule that says `lane: null` ends the search.
    if (routing.rule !== undefined) return routing.rule.lane
    const lane = routing.backend?.lane
    if (lane !== undefined && this.rules !== undefined) {
      routing.rulesPerCaller = this.rules.dependsOnCaller?.(request) ?? true
    }
    return lane
  }

  /**
   * What `decide` says of a request. Keeps with the request what `laneOf` found meanwhile, so that its lane and its backend
   * come from one look at the routes: weights are drawn only once.
   *
   * @param decide - calls `laneOf` before it returns, or not at all
   */
  decide<Request extends object, Decision>(decide: (request: Request) => Decision, request: Request): Decision {
    this.#found = undefined
    const decision = decide(request)
    ;(request as RoutedRequest)[kRouting] = this.#found
    return decision
  }

  /** The backend of a request, and the rule that decided its lane. */
  routingOf(request: RulesRequest): Routing {
    return (request as RoutedRequest)[kRouting] ?? this.#route(request)
  }

  #route(request: RulesRequest): Routing {
    return { backend: this.routes.find(request), rule: undefined, rulesPerCaller: false }
  }
}

/** Whether another caller of the same URL may get an answer from another lane. */
export function isPerCaller(lane: Lane | undefined, { backend, rule, rulesPerCaller }: Routing): boolean {
  if (lane === undefined) return false
  if (rule !== undefined && rule.lane === lane) return rule.perCaller
  if (backend?.lane === lane) return backend.perCaller || rulesPerCaller
  // A header of the request gave the lane.
  return true
}
