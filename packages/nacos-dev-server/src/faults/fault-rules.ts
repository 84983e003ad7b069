import type { Session } from '../session/session.js'

/** Which messages or connections a fault hits; without any member: all, until undone. */
export interface FaultScope {
  /** Message types, e.g. `SubscribeServiceRequest` for its answers or `NotifySubscriberRequest` for the pushes. */
  readonly types?: readonly string[]
  /** Connection ids, as `sessions()` shows them. */
  readonly connections?: readonly string[]
  /** Ends the fault after so many hits. */
  readonly times?: number
}

/** What can be done to a message. */
export type MessageFault =
  | { readonly kind: 'delay-answer'; readonly ms: number }
  | { readonly kind: 'delay-push'; readonly ms: number }
  | { readonly kind: 'drop-answer' }
  | { readonly kind: 'drop-push' }
  | { readonly kind: 'fail-answer'; readonly errorCode: number; readonly message: string }

interface Rule {
  readonly fault: MessageFault
  readonly scope: FaultScope
  left: number
}

/** The message faults that are switched on; the oldest that matches a message hits it. */
export class FaultRules {
  readonly #rules = new Set<Rule>()

  /** Returns a function that switches the fault off. */
  add(fault: MessageFault, scope: FaultScope = {}): () => void {
    const rule: Rule = { fault, scope, left: scope.times ?? Number.POSITIVE_INFINITY }
    this.#rules.add(rule)
    return () => void this.#rules.delete(rule)
  }

  /** The fault of this kind that hits the message; counts the hit. */
  take<Kind extends MessageFault['kind']>(
    kind: Kind,
    session: Session,
    type: string,
  ): Extract<MessageFault, { kind: Kind }> | undefined {
    for (const rule of this.#rules) {
      if (rule.fault.kind !== kind || !isHit(rule.scope, session, type)) continue
      rule.left--
      if (!(rule.left > 0)) this.#rules.delete(rule)
      return rule.fault as Extract<MessageFault, { kind: Kind }>
    }
    return undefined
  }

  clear(): void {
    this.#rules.clear()
  }
}

/** Whether a scope covers a message, or, without a type, a connection. */
export function isHit(scope: FaultScope, session: Session, type?: string): boolean {
  if (type !== undefined && scope.types !== undefined && !scope.types.includes(type)) return false
  return scope.connections === undefined || scope.connections.includes(session.id)
}
