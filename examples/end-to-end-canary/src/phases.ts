import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Fleet } from './fleet.js'
import { judge } from './judgement.js'
import type { Sample } from './load.js'
import type { ColouringLog } from './play/colouring-log.js'
import { pathProblem } from './traced.js'

interface Phase {
  readonly name: string
  readonly from: number
  /** It shows something only when some of its requests are in the lane. */
  readonly inLane: boolean
  sent: number
  tagged: number
  failed: number
  wrong: number
  late: number
  ms: number
}

const SHOWN = 5
const WIDTH = 50
const COUNTS = ['sent', 'tagged', 'failed', 'wrong', 'late'] as const

/** Runs the load, and counts per phase of the story what became of each request. */
export class Phases {
  readonly #fleet: Fleet
  readonly #colouring: ColouringLog
  readonly #lane: string
  readonly #phases: Phase[] = []
  #samples: Sample[] = []
  #child: ReturnType<typeof fork> | undefined
  #ended: Promise<void> = Promise.resolve()
  #over = false
  #shown = 0
  #traced = false
  #trees = 0

  constructor(fleet: Fleet, colouring: ColouringLog, lane: string) {
    this.#fleet = fleet
    this.#colouring = colouring
    this.#lane = lane
  }

  /** @param token - a share of the requests asks for its path with it; empty for none */
  startLoad(url: string, rate: number, token: string): void {
    this.#traced = token !== ''
    const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), [url, String(rate), token])
    this.#fleet.adopt(child)
    this.#child = child
    child.on('message', samples => this.#samples.push(...(samples as Sample[])))
    this.#ended = new Promise(resolve => child.once('exit', () => resolve()))
    child.once('exit', () => {
      this.#over = true
    })
  }

  /** Begins a phase; the one before ends. @param inLane - some of its requests have to be tagged */
  begin(name: string, inLane = false): void {
    const phase: Phase = { name, from: Date.now(), inLane, sent: 0, tagged: 0, failed: 0, wrong: 0, late: 0, ms: 0 }
    this.#close(phase.from)
    this.#phases.push(phase)
  }

  /** Waits until so many requests of the phase have been answered, so that a zero means something. */
  async fill(least: number): Promise<void> {
    const { from } = this.#phases.at(-1)!
    while (this.#sentSince(from) < least) {
      if (this.#over) throw new Error('the load generator ended by itself')
      await new Promise(resolve => setTimeout(resolve, 50))
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
      const colouring = this.#colouring.during(sample.sentAt, sample.doneAt)
      let verdict = judge(sample, this.#fleet.instances, this.#lane, colouring)
      if (this.#traced && sample.status === 200 && verdict.why === undefined) {
        const why = pathProblem(sample, this.#fleet.instances)
        if (why !== undefined) verdict = { ...verdict, wrong: true, why }
        else if (sample.traced) this.#trees++
      }
      const { failed, wrong, late, tagged, why } = verdict
      phase.sent++
      phase.tagged += Number(tagged)
      phase.failed += Number(failed)
      phase.wrong += Number(wrong)
      phase.late += Number(late)
      if (why !== undefined && this.#shown++ < SHOWN) console.log(`  ! ${phase.name}: ${why}`)
    }
    this.#print()
    if (this.#traced) console.log(`\n${this.#trees} paths as the services saw them`)
    const empty = this.#phases.filter(({ sent, tagged, inLane }) => sent === 0 || (inLane && tagged === 0))
    for (const { name, inLane } of empty)
      console.log(`  ! ${name}: shows nothing, no request ${inLane ? 'in the lane' : ''}`)
    const looked = !this.#traced || this.#trees > 0
    return looked && empty.length === 0 && this.#phases.every(({ failed, wrong, late }) => failed + wrong + late === 0)
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
    const total: Phase = {
      name: 'total',
      from: 0,
      inLane: false,
      sent: 0,
      tagged: 0,
      failed: 0,
      wrong: 0,
      late: 0,
      ms: 0,
    }
    for (const phase of this.#phases) {
      for (const key of [...COUNTS, 'ms'] as const) total[key] += phase[key]
    }
    console.log(`\n${'phase'.padEnd(WIDTH)}${[...COUNTS, 'req/s'].map(one => one.padStart(8)).join('')}`)
    for (const phase of [...this.#phases, total]) {
      const cells = [...COUNTS.map(key => phase[key]), Math.round((phase.sent / phase.ms) * 1000)]
      console.log(`${phase.name.padEnd(WIDTH)}${cells.map(one => String(one).padStart(8)).join('')}`)
    }
  }
}
