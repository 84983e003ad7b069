import { BASE_TAG, type Lane } from '@laneway/core'
import { limitedSignal } from '@laneway/core/internal'
import type { MessageOutcome } from '@laneway/messaging'
import { decideOwner, type LaneLedgerView, type OwnerDecision } from '@laneway/messaging/internal'
import type { KafkaMessage } from '../kafka.js'
import type { KafkaSettings } from '../lane-kafka-options.js'

/** What a consumer does with a message. */
export interface Verdict {
  readonly owner: OwnerDecision
  readonly lane: Lane | undefined
}

/** The longest wait without a sign of life to the group. */
const HEARTBEAT_MS = 1000

/** Decides for one consumer which messages are its own. */
export class Gate {
  readonly #settings: KafkaSettings
  readonly #view: LaneLedgerView
  readonly #side: string | undefined
  readonly #outcome: MessageOutcome
  readonly #closing = new AbortController()
  readonly #leave: () => void

  /**
   * @param side - the lane whose group is read, `undefined` for the group of base
   * @param outcome - of messages that are handled
   */
  constructor(settings: KafkaSettings, view: LaneLedgerView, side: string | undefined, outcome: MessageOutcome) {
    this.#settings = settings
    this.#view = view
    this.#side = side
    this.#outcome = outcome
    const role = outcome === 'own' ? 'lane' : outcome === 'stand-in' ? 'stand-in' : 'base'
    this.#leave = view.joined({ lane: side ?? BASE_TAG, role })
  }

  /** Decides now, and reports it unless it says `wait`. What was refused is gone from the message then. */
  decide(message: KafkaMessage, topic: string, timestampMs: number): Verdict {
    const { lanes } = this.#settings
    // Who owns a message must not change while instances learn that Laneway is switched off.
    const decision = lanes.owning(message.headers, message)
    const { lane } = decision
    const owner = decideOwner(tagsOf(lane), timestampMs, this.#view, this.#side)
    if (owner === 'own') lanes.report(topic, decision, this.#outcome)
    else if (owner === 'skip' && lane !== undefined) lanes.report(topic, decision, 'skipped')
    return { owner, lane }
  }

  /** As {@link decide}, but waits until the ledger is known well enough. @param heartbeat - keeps the member in its group */
  async settle(
    message: KafkaMessage,
    topic: string,
    timestampMs: number,
    heartbeat: () => Promise<void>,
  ): Promise<Verdict> {
    for (;;) {
      const verdict = this.decide(message, topic, timestampMs)
      if (verdict.owner !== 'wait') return verdict
      await this.#fresh()
      await heartbeat()
    }
  }

  /** What waits ends with an error, so that its message is not committed. */
  close(): void {
    this.#leave()
    this.#closing.abort(new Error('the consumer stops; the message is not handled'))
  }

  async #fresh(): Promise<void> {
    const closing = this.#closing.signal
    closing.throwIfAborted()
    const { signal, release } = limitedSignal(closing, HEARTBEAT_MS)
    await this.#view.untilFresh(signal).catch(() => {})
    release()
    closing.throwIfAborted()
  }
}

/** Base ends a list of tags. */
function tagsOf(lane: Lane | undefined): readonly string[] | undefined {
  const end = lane?.tags.indexOf(BASE_TAG) ?? 0
  if (end === 0) return undefined
  return end === -1 ? lane!.tags : lane!.tags.slice(0, end)
}
