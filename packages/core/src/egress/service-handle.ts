import type { Lane } from '../lane/lane.js'

/** Of a resolver: what makes its handles. Registered, because another copy of the packages may have made the resolver. */
export const kServiceHandles: unique symbol = Symbol.for('laneway.resolver.handles.v1') as never

/**
 * What an adapter keeps for each host that it calls, so that a request costs no look-up by the names of host and service. A
 * handle answers exactly as its resolver does at that moment, whatever has changed since the handle was made.
 */
export interface ServiceHandle<Choice> {
  /** As `match` of the resolver, for the host of the handle. */
  match(): string | undefined
  /** As `pick` of the resolver. @param service - that {@link match} has named */
  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice
}

/** A host as `match` takes it. */
export interface HandledHost {
  readonly hostname: string
  readonly port: number | undefined
  readonly secure: boolean
}

/** The part of a resolver that a handle stands for. */
export interface HandledResolver<Choice> {
  match(hostname: string, port: number | undefined, secure: boolean): string | undefined
  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice
}

/** What a resolver has under {@link kServiceHandles}. */
export interface HandleMaker {
  readonly resolver: object
  make(host: HandledHost): ServiceHandle<any>
}

/** Asks the resolver each time. */
class AskingHandle<Choice> implements ServiceHandle<Choice> {
  constructor(
    private readonly resolver: HandledResolver<Choice>,
    private readonly host: HandledHost,
  ) {}

  match(): string | undefined {
    const { hostname, port, secure } = this.host
    return this.resolver.match(hostname, port, secure)
  }

  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice {
    return this.resolver.pick(service, lane, tried)
  }
}

/** The handle of a host. A resolver that makes none, or that somebody has put another one around, is asked each time. */
export function serviceHandle<Choice>(resolver: HandledResolver<Choice>, host: HandledHost): ServiceHandle<Choice> {
  const maker = (resolver as { [kServiceHandles]?: HandleMaker })[kServiceHandles]
  const own = maker?.resolver === resolver && !Object.hasOwn(resolver, 'match') && !Object.hasOwn(resolver, 'pick')
  return own ? maker.make(host) : new AskingHandle(resolver, host)
}
