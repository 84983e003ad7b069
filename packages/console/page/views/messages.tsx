import { LaneName } from '../parts/lane.js'
import { Empty, Problem } from '../parts/notice.js'
import { countText, numberText, plain } from '../parts/text.js'
import { useModel } from '../state/store.js'

/** Queues and consumer groups by lanes: who handles their messages, and how many wait. */
export function MessagesView() {
  const { messages } = useModel()
  if (messages === null) {
    return (
      <Empty title="No broker">
        Start the console with <code>--rabbitmq URL</code> of a management API, and it shows who owns the messages of
        each lane.
      </Empty>
    )
  }
  const { error, from, queues } = messages
  return (
    <div class="messages">
      <div class="tools">
        <p class="sum">{plain(from)}</p>
      </div>
      {error !== undefined && <Problem>{plain(error)}</Problem>}
      {queues.length === 0 && error === undefined ? (
        <Empty title="No queue yet">Queues appear here when a consumer declares them.</Empty>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys scroll it
        <section class="wide" tabIndex={0} aria-label="Queues">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Queue</th>
                <th scope="col">Lane</th>
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
              {queues.map(({ system, name, group, lane, owner, consumers, lag }) => (
                <tr key={`${system} ${name}`} class={name === group ? 'group' : undefined}>
                  <th scope="row">{plain(name)}</th>
                  <td>
                    <LaneName lane={plain(lane)} />
                  </td>
                  <td>{plain(owner)}</td>
                  <td class={`r num ${consumers === 0 ? 'warn' : ''}`}>{consumers}</td>
                  <td class={`r num ${lag > 0 && consumers === 0 ? 'bad' : ''}`}>
                    <span title={countText(lag, 'message')}>{numberText(lag)}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  )
}
