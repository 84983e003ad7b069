import type { StreamMessage } from './classes.js'

/** Of a message that waits in a stream: whether it may still be delivered. */
export interface Ticket {
  state: 'open' | 'delivered' | 'dropped'
  isGood(): boolean
  delivered(): void
  dropped(): void
}

/** Messages without a ticket are always delivered. */
export const tickets = new WeakMap<StreamMessage, Ticket>()

/** Whether the stream delivers a message that it has kept until now. */
export function delivers(message: StreamMessage): boolean {
  const ticket = tickets.get(message)
  if (ticket === undefined) return true
  if (ticket.state === 'open') {
    ticket.state = ticket.isGood() ? 'delivered' : 'dropped'
    ticket[ticket.state]()
  }
  return ticket.state === 'delivered'
}
