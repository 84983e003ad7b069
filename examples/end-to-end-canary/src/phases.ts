import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Fleet } from './fleet.js'
import { judge } from './judgement.js'
import type { Sample } from './load.js'

interface Phase {
  readonly name: string
  readonly from: number
  sent: number
  failed: number
  wrong: number
  late: number
  ms: number
}

/** Least requests in a phase, so that a zero means something. */
const LEAST = 1000
const SHOWN = 5
const WIDTH = 44

/** Runs the load, and counts per phase of the story what became of each request. */
export class Phases {
  readonly #fleet: Fleet
  readonly #phases: Phase[] = []
  readonly #lane: string
  #samples: Sample[] = []
  #child: ReturnType<typeof fork> | undefined
  #ended: Promise<void> = Promise.resolve()
  #shown = 0

  constructor(fleet: Fleet, lane: string) {
    this.#fleet = fleet
    this.#lane = lane
  }

  startLoad(url: string, rate: number): void {
    const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), [url, String(rate)])
    this.#fleet.adopt(child)
    this.#child = child
    child.on('message', samples => this.#samples.push(...(samples as Sample[])))
    this.#ended = new Promise(resolve => child.once('exit', () => resolve()))
  }

  /** Plays one phase: what happens in it, and as long after it as 1,000 requests need. */
  async play(name: string, happen: () => Promise<void>): Promise<void> {
    const phase: Phase = { name, from: Date.now(), sent: 0, failed: 0, wrong: 0, late: 0, ms: 0 }
    this.#close(phase.from)
    this.#phases.push(phase)
    await happen()
    while (this.#sentSince(phase.from) < LEAST) {
      if (this.#child?.exitCode !== null) throw new Error('the load generator ended by itself')
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  /** Ends the load, waits for what is under way, judges everything. @returns whether all is well */
  async finish(): Promise<boolean> {
    this.#close(Date.now())
    this.#child?.send('stop')
    await this.#ended
    for (const sample of this.#samples) {
      const phase = this.#phases.findLast(one => one.from <= sample.sentAt)
      if (phase === undefined) continue
      const { failed, wrong, late, why } = judge(sample, this.#fleet.instances, this.#lane)
      phase.sent++
      phase.failed += Number(failed)
      phase.wrong += Number(wrong)
      phase.late += Number(late)
      if (why !== undefined && this.#shown++ < SHOWN) console.log(`  ! ${phase.name}: ${why}`)
    }
    this.#print()
    return this.#phases.every(({ failed, wrong, late }) => failed + wrong + late === 0)
  }

  /** A phase lasts until the next one begins. */
  #close(now: number): void {
    const phase = this.#phases.at(-1)
    if (phase !== undefined) phase.ms = now - phase.from
  }

  #sentSince(from: number): number {
    let sent = 0
    for (const sample of this.#samples) if (sample.sentAt >= from) sent++
    return sent
  }

  #print(): void {
    const total: Phase = { name: 'total', from: 0, sent: 0, failed: 0, wrong: 0, late: 0, ms: 0 }
    for (const phase of this.#phases) {
      for (const key of ['sent', 'failed', 'wrong', 'late', 'ms'] as const) total[key] += phase[key]
    }
    console.log(
      `\n${'phase'.padEnd(WIDTH)}${['sent', 'failed', 'wrong', 'late', 'req/s'].map(one => one.padStart(8)).join('')}`,
    )
    for (const { name, sent, failed, wrong, late, ms } of [...this.#phases, total]) {
      const cells = [sent, failed, wrong, late, Math.round((sent / ms) * 1000)]
      console.log(`${name.padEnd(WIDTH)}${cells.map(one => String(one).padStart(8)).join('')}`)
    }
  }
}
