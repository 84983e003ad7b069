import type { Broker, Queue } from '../../src/wire.js'
import { LaneName } from '../parts/lane.js'
import { Empty, Problem } from '../parts/notice.js'
import { ageText, agoText, countText, numberText, plain } from '../parts/text.js'
import { useModel } from '../state/store.js'

/** Queues and consumer groups by lanes: who handles their messages, and how many wait. */
export function MessagesView() {
  const { messages } = useModel()
  if (messages === null) {
    return (
      <Empty title="No broker">
        Start the console with <code>--rabbitmq URL</code>, <code>--kafka host:port</code> or <code>--redis URL</code>,
        and it shows who owns the messages of each lane.
      </Empty>
    )
  }
  return (
    <div class="messages">
      {messages.map(broker => (
        <BrokerSection key={broker.from} broker={broker} />
      ))}
    </div>
  )
}

function BrokerSection({ broker }: { broker: Broker }) {
  const { error, from, queues, conflicts = [], ledger } = broker
  const hasStates = queues.some(queue => queue.state !== undefined)
  return (
    <section class="broker" aria-label={plain(from)}>
      <header>
        <h2>{plain(from)}</h2>
        {ledger !== undefined && (
          <p class="note num">
            {plain(ledger.name)}: {countText(ledger.records, 'record')}
            {ledger.lastMs === undefined ? '' : `, the last ${agoText(ledger.lastMs)}`}
          </p>
        )}
      </header>
      {error !== undefined && <Problem>{plain(error)}</Problem>}
      {conflicts.map(conflict => (
        <Problem key={conflict}>{plain(conflict)}</Problem>
      ))}
      {queues.length === 0 && error === undefined && (
        <p class="none">Nobody keeps lanes apart here yet. Queues appear as soon as a consumer does.</p>
      )}
      {queues.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys scroll it
        <section class="wide" tabIndex={0} aria-label={`Queues of ${plain(from)}`}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{hasStates ? 'Group' : 'Queue'}</th>
                <th scope="col">Lane</th>
                {hasStates && (
                  <th scope="col" class="not-narrow">
                    State
                  </th>
                )}
                <th scope="col">Owner</th>
                <th scope="col" class="r">
                  Consumers
                </th>
                <th scope="col" class="r">
                  Waiting
                </th>
              </tr>
            </thead>
            <tbody>
              {queues.map(queue => (
                <QueueRow key={`${queue.system} ${queue.name}`} queue={queue} hasStates={hasStates} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}

function QueueRow({ queue, hasStates }: { queue: Queue; hasStates: boolean }) {
  const { name, group, lane, owner, consumers, lag, state, sinceMs } = queue
  const isLeft = consumers === 0 && state !== 'ended'
  const since =
    sinceMs === undefined ? '' : sinceMs > Date.now() ? `in ${ageText(Date.now(), sinceMs)}` : agoText(sinceMs)
  return (
    <tr class={name === group ? 'group' : undefined}>
      <th scope="row">{plain(name)}</th>
      <td>
        <LaneName lane={plain(lane)} />
        {state !== undefined && <span class="note num narrow">{`${state} ${since}`}</span>}
      </td>
      {hasStates && (
        <td class="num not-narrow">
          {state}
          {state !== undefined && since !== '' && <span class="note"> {since}</span>}
        </td>
      )}
      <td class={owner === 'nobody' ? 'bad' : undefined}>{plain(owner)}</td>
      <td class={`r num ${isLeft ? 'warn' : ''}`}>{consumers ?? '-'}</td>
      <td class={`r num ${(lag ?? 0) > 0 && consumers === 0 ? 'bad' : ''}`}>
        {lag === null ? '-' : <span title={countText(lag, 'message')}>{lag < 1000 ? lag : numberText(lag)}</span>}
      </td>
    </tr>
  )
}
