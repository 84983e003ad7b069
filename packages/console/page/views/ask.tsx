import type { TargetedEvent } from 'preact'
import { useState } from 'preact/hooks'
import type { Asked } from '../../src/wire.js'
import { LaneName } from '../parts/lane.js'
import { Empty, Problem } from '../parts/notice.js'
import { countText, plain } from '../parts/text.js'
import { setRoute, useRoute } from '../state/route.js'
import { fetchJson, useModel } from '../state/store.js'

/** Where a request would go, and why. */
export function Ask() {
  const { names, lanes, can } = useModel()
  const { settings } = useRoute()
  const [asked, setAsked] = useState<Asked | undefined>()
  const [problem, setProblem] = useState('')
  const [trace, setTrace] = useState<readonly string[] | undefined>()
  const [isBusy, setBusy] = useState(false)
  if (!can.explain && can.rules === null) {
    return <Empty title="Nothing to ask">The console was started without a resolver and without rules.</Empty>
  }
  const doing = async (work: () => Promise<void>) => {
    setBusy(true)
    setProblem('')
    try {
      await work()
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setBusy(false)
    }
  }
  const onSubmit = (event: TargetedEvent<HTMLFormElement, SubmitEvent>) => {
    event.preventDefault()
    const form = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const { entrance = '', ...question } = form
    const isTrace = (event.submitter as HTMLButtonElement | null)?.value === 'trace'
    setRoute('ask', question)
    if (isTrace) {
      const path = /\S+$/.exec(question['request']?.trim() ?? '')?.[0] ?? '/'
      void doing(async () => {
        const { lines } = await fetchJson<{ lines: readonly string[] }>('api/trace', {
          entrance,
          path,
          headers: question['headers'],
        })
        setTrace(lines)
        setAsked(undefined)
      })
      return
    }
    void doing(async () => {
      setAsked(await fetchJson<Asked>(`api/ask?${new URLSearchParams(question)}`))
      setTrace(undefined)
    })
  }
  const input = (name: string, label: string, hint: string, list?: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        defaultValue={settings.get(name) ?? ''}
        placeholder={hint}
        list={list}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  )
  return (
    <div class="ask">
      <form onSubmit={onSubmit}>
        {can.explain && (
          <fieldset>
            <legend>Where does a call go?</legend>
            {input('service', 'Service', names[0] ?? 'orders', 'names')}
            {input('lane', 'Lane', 'as the rules decide', 'lanes')}
          </fieldset>
        )}
        {(can.rules !== null || can.entrances.length > 0) && (
          <fieldset>
            <legend>Which request?</legend>
            {input('request', 'Method and path', 'GET /orders?id=1')}
            <label class="field">
              <span>Headers, one a line</span>
              <textarea
                name="headers"
                rows={3}
                defaultValue={settings.get('headers') ?? ''}
                placeholder="User-Agent: xiaoming"
                spellcheck={false}
              />
            </label>
            {input('address', 'Address of the client', '127.0.0.1')}
            {can.rules !== null && <p class="note">Rules: {plain(can.rules)}</p>}
          </fieldset>
        )}
        {can.entrances.length > 0 && (
          <label class="field">
            <span>Entrance</span>
            <select name="entrance">
              {can.entrances.map(one => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
        <p class="buttons">
          <button type="submit" class="main" disabled={isBusy}>
            Explain
          </button>
          {can.entrances.length > 0 && (
            <button type="submit" value="trace" disabled={isBusy}>
              Send and trace
            </button>
          )}
        </p>
        <datalist id="names">
          {names.slice(0, 500).map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <datalist id="lanes">
          {lanes.map(lane => (
            <option key={lane} value={lane} />
          ))}
        </datalist>
      </form>
      <section class="answer" aria-live="polite" aria-label="Answer">
        {problem !== '' && <Problem>{plain(problem)}</Problem>}
        {asked !== undefined && <Answer asked={asked} />}
        {trace !== undefined && (
          <div class="card">
            <h2>Path of the request</h2>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keys scroll it */}
            <pre class="trace" tabIndex={0}>
              {trace.map(plain).join('\n')}
            </pre>
          </div>
        )}
        {asked === undefined && trace === undefined && problem === '' && (
          <Empty title="Nothing asked yet">Explaining sends nothing to any service.</Empty>
        )}
      </section>
    </div>
  )
}

function Answer({ asked }: { asked: Asked }) {
  const { rule, lane, outcome, served, reason, steps, candidates, candidateCount, picked, error } = asked
  return (
    <>
      {rule !== undefined && (
        <div class="card">
          <h2>Rules</h2>
          <p class="verdict">
            The request gets <LaneName lane={plain(rule.lane)} /> {rule.by === '' ? '' : `by ${plain(rule.by)}`}
          </p>
          {rule.lines.length > 0 && <pre class="trace wrapped">{rule.lines.map(plain).join('\n')}</pre>}
        </div>
      )}
      {outcome !== '' && (
        <div class="card">
          <h2>Instance</h2>
          <p class="verdict">
            <LaneName lane={plain(lane)} /> is served by{' '}
            {served === 'none' ? <strong class="bad">nobody</strong> : <LaneName lane={plain(served)} />}
            {picked !== undefined && (
              <>
                , for example by <strong class="num">{plain(picked)}</strong>
              </>
            )}
          </p>
          <p>{plain(reason)}</p>
          <ol class="steps">
            {steps.map((step, index) => (
              <li key={index} class={step.verdict}>
                <LaneName lane={plain(step.lane)} /> <span class="num">{step.words}</span>{' '}
                <strong>{step.verdict}</strong>
              </li>
            ))}
          </ol>
          {candidateCount > 0 && (
            <p class="note">
              Chosen among {countText(candidateCount, 'instance')}:{' '}
              <span class="num">
                {candidates.map(plain).join(', ')}
                {candidateCount > candidates.length ? ', …' : ''}
              </span>
            </p>
          )}
        </div>
      )}
      {error !== undefined && <Problem>{plain(error)}</Problem>}
    </>
  )
}
