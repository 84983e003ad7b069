/** The parts of a Kubernetes object that this package reads. */
export interface Manifest {
  readonly apiVersion?: string
  readonly kind: string
  readonly metadata?: {
    readonly name?: string
    readonly namespace?: string
    readonly creationTimestamp?: string | null
  }
  readonly spec?: unknown
}

/** A value to match a header or query parameter with, as in Gateway API. */
export interface ValueMatch {
  /** @default 'Exact' */
  readonly type?: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

/** `HTTPRouteMatch` of Gateway API; OpenKruise's matches are a part of it. All parts must hold. */
export interface RouteMatch {
  readonly path?: {
    /** @default 'PathPrefix' */
    readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'
    /** @default '/' */
    readonly value?: string
  }
  readonly method?: string
  readonly headers?: readonly ValueMatch[]
  readonly queryParams?: readonly ValueMatch[]
}

/** `HTTPHeaderFilter` of Gateway API. */
export interface HeaderModifier {
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  readonly add?: readonly { readonly name: string; readonly value: string }[]
  readonly remove?: readonly string[]
}

/** A filter of a rule or backend; only `RequestHeaderModifier` is read. */
export interface RouteFilter {
  readonly type: string
  readonly requestHeaderModifier?: HeaderModifier
}

/** A backend of a rule. */
export interface RouteBackend {
  readonly name: string
  readonly namespace?: string
  readonly kind?: string
  readonly port?: number
  /** @default 1 */
  readonly weight?: number
  readonly filters?: readonly RouteFilter[]
}

/** `HTTPRouteRule` of Gateway API. */
export interface RouteRule {
  /** One of them must match. @default every path */
  readonly matches?: readonly RouteMatch[]
  readonly filters?: readonly RouteFilter[]
  readonly backendRefs?: readonly RouteBackend[]
}

/** `HTTPRoute` of Gateway API. */
export interface HttpRoute extends Manifest {
  readonly kind: 'HTTPRoute'
  readonly spec: {
    readonly hostnames?: readonly string[]
    readonly rules?: readonly RouteRule[]
  }
}

/** `TrafficRouting` of OpenKruise Rollouts. */
export interface TrafficRouting extends Manifest {
  readonly kind: 'TrafficRouting'
  readonly spec: {
    readonly strategy: {
      /** One of them must match; with matches, `weight` is ignored. */
      readonly matches?: readonly RouteMatch[]
      /** Percent, 0 to 100. */
      readonly weight?: number
      readonly requestHeaderModifier?: HeaderModifier
    }
  }
}

/** `namespace/name` */
export function nameOf(manifest: Manifest): string {
  return `${manifest.metadata?.namespace ?? 'default'}/${manifest.metadata?.name ?? manifest.kind}`
}
