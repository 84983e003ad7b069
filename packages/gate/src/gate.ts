import { setTimeout as delay } from 'node:timers/promises'
import { type ApproveTimes, approve } from './cluster/approve.js'
import { type Cluster, connectCluster } from './cluster/cluster.js'
import { findStableTemplate, rollBack } from './cluster/rollback.js'
import { type RolloutState, readRollout } from './cluster/rollout.js'
import { GateError } from './gate-error.js'
import type { GateOutcome, GateResult } from './gate-result.js'
import { measureHop } from './measure/measurement.js'
import { connectPrometheus, type Prometheus } from './measure/prometheus.js'
import { type GateOptions, type ResolvedGateOptions, resolveGateOptions } from './options.js'
import { describeJudgement, summarise } from './report.js'
import { type Judgement, judge } from './verdict.js'

/** What a run may use besides its options. */
export interface GateHooks {
  /** Called with each line of progress. @default none */
  readonly log?: (line: string) => void
  /** Ends the waiting. @default never */
  readonly signal?: AbortSignal
  /** Bearer token for Prometheus. @default none */
  readonly prometheusToken?: string
}

const LOOK_MS = 200
const TAKEN_MS = 30_000

/**
 * Watches the Rollouts of a lane until each is paused, judges the lane's traffic against base in every service that it
 * crosses, and approves, from the last hop to the entrance; or holds, or rolls back.
 *
 * Only several good judgements in a row lead to an approval: no answer, no traffic and unreadable data all mean wait.
 *
 * @throws GateError `LANEWAY_GATE_INVALID_OPTION`; `LANEWAY_GATE_CLUSTER` when there is no cluster to be found
 */
export async function runGate(options: GateOptions, hooks: GateHooks = {}): Promise<GateResult> {
  const resolved = resolveGateOptions(options)
  const cluster = connectCluster(resolved.kubeconfig, resolved.context, resolved.namespace)
  const prometheus = connectPrometheus(resolved.prometheus, hooks.prometheusToken)
  return new Gate(resolved, cluster, prometheus, hooks).run()
}

class Gate {
  readonly #options: ResolvedGateOptions
  readonly #cluster: Cluster
  readonly #prometheus: Prometheus
  readonly #log: (line: string) => void
  readonly #signal: AbortSignal | undefined
  readonly #times: ApproveTimes
  /** When the current pause began; the limit counts for each step of a release. */
  #began = performance.now()
  #judgement: Judgement | undefined

  constructor(options: ResolvedGateOptions, cluster: Cluster, prometheus: Prometheus, hooks: GateHooks) {
    this.#options = options
    this.#cluster = cluster
    this.#prometheus = prometheus
    this.#log = hooks.log ?? (() => {})
    this.#signal = hooks.signal
    this.#times = {
      lookMs: Math.min(LOOK_MS, options.intervalSeconds * 1_000),
      takenMs: Math.min(TAKEN_MS, options.settleSeconds * 1_000),
      // An approval that has begun is completed, also after an interrupt.
      sleep: ms => delay(ms),
      now: () => performance.now(),
    }
  }

  async run(): Promise<GateResult> {
    let streak: { verdict: string; pauses: string; count: number } | undefined
    for (;;) {
      const states = await this.#rollouts()
      const ended = states && this.#ended(states)
      if (ended !== undefined) return ended
      const judgement = states && (await this.#round(states))
      if (judgement === undefined || judgement.verdict === 'wait') {
        streak = undefined
        if (this.#options.dryRun)
          return this.#end('timeout', judgement === undefined ? 'nothing could be judged' : summarise(judgement))
      } else {
        const pauses = pausesOf(states!)
        const again = streak?.verdict === judgement.verdict && streak.pauses === pauses
        streak = { verdict: judgement.verdict, pauses, count: again ? streak!.count + 1 : 1 }
        const wanted = judgement.verdict === 'good' ? this.#options.rounds : this.#options.badRounds
        if (this.#options.dryRun) return this.#wouldDo(judgement, states!)
        this.#log(`  ${judgement.verdict} ${streak.count} of ${wanted} times in a row`)
        if (streak.count >= wanted) {
          streak = undefined
          const result = await this.#act(judgement, states!)
          if (result !== undefined) return result
          this.#began = performance.now()
          continue
        }
      }
      const { timeoutSeconds, intervalSeconds } = this.#options
      if (this.#signal?.aborted) return this.#end('timeout', 'interrupted')
      if (timeoutSeconds > 0 && performance.now() - this.#began > timeoutSeconds * 1_000) {
        return this.#end('timeout', `nothing was decided within ${timeoutSeconds} s`)
      }
      await this.#sleep(intervalSeconds * 1_000)
    }
  }

  /** `undefined` when the cluster does not answer: the gate waits for it. */
  async #rollouts(): Promise<RolloutState[] | undefined> {
    const names = this.#options.hops.flatMap(hop => hop.rollout ?? [])
    try {
      return (await Promise.all(names.map(name => this.#cluster.rollout(name)))).map(readRollout)
    } catch (error) {
      this.#log(`wait: ${(error as Error).message}`)
      return undefined
    }
  }

  #ended(states: readonly RolloutState[]): GateResult | undefined {
    const cancelled = states.filter(
      state => state.stage === 'cancelled' && state.object.status?.phase === 'Progressing',
    )
    if (cancelled.length === 0) return undefined
    return this.#end('held', `Rollout ${cancelled.map(state => state.name).join(', ')} is being rolled back`)
  }

  /** `undefined` when there is nothing to judge yet. */
  async #round(states: readonly RolloutState[]): Promise<Judgement | undefined> {
    const open = states.filter(state => state.stage !== 'paused')
    for (const state of open) this.#log(`wait: Rollout ${state.name} is not paused (${state.summary})`)
    if (open.length > 0) return undefined
    return this.#judge(states, new Set(states.map(state => state.name)))
  }

  /** @param released - Rollouts whose instances of the lane must be the ones that serve it */
  async #judge(states: readonly RolloutState[], released: ReadonlySet<string>): Promise<Judgement | undefined> {
    try {
      const at = await this.#prometheus.now()
      const seconds = this.#window(states, at)
      if (!(seconds >= 1)) {
        this.#log('wait: the pause has just begun')
        return undefined
      }
      const measurements = await Promise.all(
        this.#options.hops.map(hop => {
          const own = hop.rollout !== undefined && released.has(hop.rollout)
          return measureHop(this.#prometheus, this.#options, hop, at, seconds, own)
        }),
      )
      const judgement = judge(measurements, this.#options)
      this.#judgement = judgement
      const heading = `${new Date(at * 1_000).toISOString()} lane ${this.#options.lane}, last ${seconds.toFixed(0)} s`
      for (const line of describeJudgement(judgement, heading)) this.#log(line)
      return judgement
    } catch (error) {
      this.#log(`wait: ${(error as Error).message}`)
      return undefined
    }
  }

  /** The window begins at the pause or later: before it, another release ran. */
  #window(states: readonly RolloutState[], at: number): number {
    const since = Math.max(...states.filter(state => state.stage === 'paused').map(state => state.since ?? 0))
    return Math.min(this.#options.windowSeconds, at - since / 1_000)
  }

  #wouldDo(judgement: Judgement, states: readonly RolloutState[]): GateResult {
    if (judgement.verdict === 'good') {
      const order = [...states].reverse().map(state => state.name)
      return this.#end('approved', `dry run: would approve ${order.join(', then ')}`)
    }
    const names = states.map(state => state.name).join(', then ')
    const would = this.#options.onFail === 'rollback' ? `roll back ${names}` : 'hold'
    return this.#end('held', `dry run: would ${would}: ${summarise(judgement)}`)
  }

  async #act(judgement: Judgement, states: readonly RolloutState[]): Promise<GateResult | undefined> {
    try {
      if (judgement.verdict === 'good') return await this.#approveAll(states)
      const why = summarise(judgement)
      if (this.#options.onFail === 'rollback') return await this.#rollBackAll(states, why)
      for (const state of states) await this.#event(state, 'Warning', 'LaneHeld', why)
      return this.#end('held', why)
    } catch (error) {
      if (!(error instanceof GateError)) throw error
      for (const state of states) await this.#event(state, 'Warning', 'LaneHeld', error.message)
      return this.#end('held', error.message)
    }
  }

  /** From the last hop to the entrance: while the entrance sends requests into the lane, all hops behind it have it. */
  async #approveAll(states: readonly RolloutState[]): Promise<GateResult | undefined> {
    const waiting = new Set(states.map(state => state.name))
    let last = true
    for (const [index, state] of [...states].reverse().entries()) {
      if (index > 0) {
        // The hops behind run the new version as base now. It must be good there before the next approval.
        const held = await this.#stillGood(states, waiting)
        if (held !== undefined) return held
      }
      this.#log(`approving Rollout ${state.name}`)
      if (!(await approve(this.#cluster, state, this.#times))) {
        const why = `Rollout ${state.name} is not in the pause that was judged any more`
        // Nothing is approved yet, so the gate judges again.
        if (index === 0) return void this.#log(`wait: ${why}`)
        return this.#end('held', why)
      }
      await this.#event(state, 'Normal', 'LaneApproved', `lane ${this.#options.lane} is as good as base`)
      waiting.delete(state.name)
      const settled = await this.#settle(state)
      if (this.#signal?.aborted) return this.#end('timeout', `interrupted after the approval of Rollout ${state.name}`)
      if (settled.stage === 'cancelled')
        return this.#end('held', `Rollout ${state.name} was rolled back after its approval: ${settled.summary}`)
      last &&= settled.stage === 'done'
      this.#log(`Rollout ${state.name}: ${settled.summary}`)
    }
    return last ? this.#end('approved', `lane ${this.#options.lane} is promoted`) : undefined
  }

  /** Waits for another good judgement between two approvals. @returns `undefined` to go on */
  async #stillGood(states: readonly RolloutState[], waiting: ReadonlySet<string>): Promise<GateResult | undefined> {
    let bad = 0
    for (;;) {
      const open = states.filter(state => waiting.has(state.name))
      const judgement = await this.#judge(open, waiting)
      if (judgement?.verdict === 'good') return undefined
      bad = judgement?.verdict === 'bad' ? bad + 1 : 0
      if (bad >= this.#options.badRounds) {
        const why = `after the first approvals: ${summarise(judgement!)}`
        for (const state of open) await this.#event(state, 'Warning', 'LaneHeld', why)
        return this.#end('held', why)
      }
      if (this.#signal?.aborted) return this.#end('timeout', 'interrupted between two approvals')
      await this.#sleep(this.#options.intervalSeconds * 1_000)
    }
  }

  /** Waits until a Rollout has reached its next pause or its end. */
  async #settle(judged: RolloutState): Promise<RolloutState> {
    const end = performance.now() + this.#options.settleSeconds * 1_000
    for (;;) {
      const state = readRollout(await this.#cluster.rollout(judged.name))
      const next = state.stage === 'paused' && state.pause !== judged.pause
      if (next || state.stage === 'done' || state.stage === 'cancelled') return state
      if (performance.now() >= end) {
        throw new GateError(
          'LANEWAY_GATE_NOT_TAKEN',
          `Rollout ${judged.name} is not through after ${this.#options.settleSeconds} s: ${state.summary}`,
        )
      }
      if (this.#signal?.aborted) return state
      await this.#sleep(Math.max(this.#times.lookMs, Math.min(1_000, this.#options.intervalSeconds * 1_000)))
    }
  }

  /** From the entrance to the last hop: the entrance stops first to send requests into the lane. */
  async #rollBackAll(states: readonly RolloutState[], why: string): Promise<GateResult> {
    const templates = []
    for (const state of states)
      templates.push(await findStableTemplate(this.#cluster, state, this.#options.gitopsManagers))
    for (const template of templates) {
      this.#log(`rolling back Rollout ${template.state.name}`)
      await rollBack(this.#cluster, template, this.#times)
      await this.#event(template.state, 'Warning', 'LaneRolledBack', why)
    }
    return this.#end('rolled-back', why)
  }

  /** An event that cannot be written stops nothing. */
  async #event(state: RolloutState, type: 'Normal' | 'Warning', reason: string, note: string): Promise<void> {
    try {
      await this.#cluster.event(state.object, type, reason, note)
    } catch (error) {
      this.#log((error as Error).message)
    }
  }

  #end(outcome: GateOutcome, reason: string): GateResult {
    this.#log(`${outcome}: ${reason}`)
    return { outcome, reason, judgement: this.#judgement }
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, this.#signal === undefined ? {} : { signal: this.#signal }).catch(() => {})
  }
}

function pausesOf(states: readonly RolloutState[]): string {
  return states.map(state => state.pause).join(' ')
}
