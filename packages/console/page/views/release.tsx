import type { Judged, Releases, Rollout } from '../../src/wire.js'
import { LaneName } from '../parts/lane.js'
import { Empty, Problem } from '../parts/notice.js'
import { Plot } from '../parts/plot.js'
import { plain } from '../parts/text.js'
import { useModel } from '../state/store.js'

const VERDICTS = { good: 'as good as base', bad: 'worse than base', wait: 'cannot be judged yet' } as const
const STAGES = { paused: 'waits for approval', working: 'in progress', cancelled: 'rolled back', done: 'done' } as const

/** Rollouts and TrafficRoutings, and what the gate says of the lane. */
export function ReleaseView() {
  const { releases } = useModel()
  if (releases === null) {
    return (
      <Empty title="No releases">
        Start the console with <code>--rollouts</code>, and it shows the Rollouts and TrafficRoutings of the namespace.
        With <code>--gate-hops</code>, <code>--gate-lane</code> and <code>--prometheus</code> it adds the gate's
        verdict.
      </Empty>
    )
  }
  const { error, rollouts, routings, gate, from } = releases
  return (
    <div class="release">
      <div class="tools">
        <p class="sum">{plain(from)}</p>
      </div>
      {error !== undefined && <Problem>{plain(error)}</Problem>}
      {rollouts.length + routings.length === 0 && gate === undefined && error === undefined && (
        <Empty title="No Rollout yet">Rollouts appear here when they are applied.</Empty>
      )}
      <div class="cards">
        {rollouts.map(rollout => (
          <RolloutCard key={rollout.name} rollout={rollout} />
        ))}
        {routings.map(({ name, phase, message, colours, target }) => (
          <article class="card" key={`routing ${name}`}>
            <header>
              <h2>{plain(name)}</h2>
              <span class={`chip ${phase === 'Progressing' ? 'working' : ''}`}>{plain(phase)}</span>
            </header>
            <p class="note">TrafficRouting of {plain(target)}</p>
            <p>{plain(colours)}</p>
            {message !== '' && <p class="note">{plain(message)}</p>}
          </article>
        ))}
      </div>
      {gate !== undefined && <Gate gate={gate} />}
    </div>
  )
}

function RolloutCard({ rollout }: { rollout: Rollout }) {
  const { name, workload, step, steps, stepState, message, stage, phase } = rollout
  return (
    <article class="card">
      <header>
        <h2>{plain(name)}</h2>
        <span class={`chip ${stage}`}>{STAGES[stage]}</span>
      </header>
      <p class="note">Rollout of {plain(workload)}</p>
      <ol class="steps-line" aria-label={step === 0 ? `${steps.length} steps` : `Step ${step} of ${steps.length}`}>
        {steps.map((text, index) => {
          const state = stage === 'done' ? 'past' : index + 1 < step ? 'past' : index + 1 === step ? 'now' : ''
          return (
            <li key={index} class={state} aria-current={state === 'now' ? 'step' : undefined}>
              <span class="num">{plain(text)}</span>
            </li>
          )
        })}
      </ol>
      <p>{plain(message)}</p>
      <p class="note">
        {plain(phase)}
        {stepState === '' || stage === 'done' ? '' : ` · ${plain(stepState)}`}
      </p>
    </article>
  )
}

function Gate({ gate }: { gate: NonNullable<Releases['gate']> }) {
  return (
    <section class="gate" aria-labelledby="gate-title">
      <h2 id="gate-title">
        Gate: <LaneName lane={plain(gate.lane)} /> is{' '}
        <span class={`verdict-${gate.verdict}`}>{VERDICTS[gate.verdict]}</span>
      </h2>
      <ul class="judged">
        {gate.services.map(one => (
          <Service key={one.service} one={one} lane={gate.lane} />
        ))}
      </ul>
    </section>
  )
}

function Service({ one, lane }: { one: Judged; lane: string }) {
  const { service, rollout, verdict, reasons, plots } = one
  return (
    <li>
      <div class="judged-name">
        <strong>{plain(service)}</strong>
        <span class={`verdict-${verdict}`}>{verdict}</span>
        <span class="note">{rollout === undefined ? 'not released' : plain(rollout)}</span>
        {reasons.map(reason => (
          <p key={reason} class="note">
            {plain(reason)}
          </p>
        ))}
      </div>
      {plots.map(plot => (
        <Plot key={plot.name} plot={plot} lane={lane} />
      ))}
    </li>
  )
}
