import type { Warn } from '@laneway/core'
import { LedgerReader } from './ledger-reader.js'
import type { LogBroker } from './log-broker.js'

/** One consumer's use of a ledger that all consumers of a client share. */
export interface LedgerUse {
  /** Resolves once the ledger has been read. @throws LanewayError `LANEWAY_LEDGER`; what the client throws */
  enter(): Promise<LedgerReader>
  /** Between {@link enter} and {@link leave}. */
  broker(): Promise<LogBroker>
  /** The last who leaves ends the reader. */
  leave(): Promise<void>
}

interface OpenLedger {
  readonly broker: Promise<LogBroker>
  readonly reader: Promise<LedgerReader>
}

/** Opens a ledger when its first user enters. */
export class SharedLedger {
  readonly #connect: () => Promise<LogBroker>
  readonly #warn: Warn
  #open: OpenLedger | undefined
  #users = 0

  constructor(connect: () => Promise<LogBroker>, warn: Warn) {
    this.#connect = connect
    this.#warn = warn
  }

  use(): LedgerUse {
    let entered = false
    const leave = async () => {
      if (!entered) return
      entered = false
      if (--this.#users === 0) await this.#close()
    }
    return {
      enter: async () => {
        if (!entered) this.#users++
        entered = true
        this.#open ??= this.#begin()
        try {
          return await this.#open.reader
        } catch (error) {
          await leave()
          throw error
        }
      },
      broker: () => this.#open!.broker,
      leave,
    }
  }

  #begin(): OpenLedger {
    const broker = this.#connect()
    const reader = broker.then(async connected => {
      const opened = new LedgerReader(connected, this.#warn)
      try {
        await opened.open()
      } catch (error) {
        await opened.close()
        throw error
      }
      return opened
    })
    return { broker, reader }
  }

  async #close(): Promise<void> {
    const closing = this.#open
    this.#open = undefined
    await closing?.reader.then(reader => reader.close()).catch(() => {})
    await closing?.broker.then(broker => broker.close()).catch(() => {})
  }
}
