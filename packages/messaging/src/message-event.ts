import { channels, type MessageEvent, type MessageOutcome } from '@laneway/core'

export type { MessageEvent, MessageOutcome }

/** The `diagnostics_channel` channel of {@link MessageEvent}. An event is built only while somebody subscribes. */
export const messages = channels.message
