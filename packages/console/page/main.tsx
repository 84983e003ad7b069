import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { Problem } from './parts/notice.js'
import { plain } from './parts/text.js'
import { useRoute } from './state/route.js'
import { follow, useModel } from './state/store.js'
import { Ask } from './views/ask.js'
import { Matrix } from './views/matrix.js'
import { MessagesView } from './views/messages.js'
import { ReleaseView } from './views/release.js'
import { TrafficMap } from './views/traffic-map.js'

const VIEWS = [
  { id: 'matrix', name: 'Matrix', View: Matrix },
  { id: 'map', name: 'Map', View: TrafficMap },
  { id: 'ask', name: 'Ask', View: Ask },
  { id: 'release', name: 'Release', View: ReleaseView },
  { id: 'messages', name: 'Messages', View: MessagesView },
] as const

function App() {
  const { live, registries } = useModel()
  const { view } = useRoute()
  const { id, name, View } = VIEWS.find(one => one.id === view) ?? VIEWS[0]
  useEffect(() => {
    document.title = `${name} · Laneway console`
  }, [name])
  const lost = registries.filter(({ connected }) => connected === false)
  const state = live === 'live' && lost.length > 0 ? 'stale' : live
  return (
    <>
      <header class="bar">
        <a class="brand" href="#matrix">
          Laneway
        </a>
        <nav aria-label="Views">
          {VIEWS.map(one => (
            <a key={one.id} href={`#${one.id}`} aria-current={one.id === id ? 'page' : undefined}>
              {one.name}
            </a>
          ))}
        </nav>
        <p class={`state ${state}`} role="status">
          <span class="dot" aria-hidden="true" />
          <span class="state-text">
            {live === 'live'
              ? registries.map(one => one.name).join(', ') || 'live'
              : live === 'lost'
                ? 'reconnecting'
                : 'connecting'}
          </span>
        </p>
      </header>
      <main id="view">
        <h1 class="unseen">{name}</h1>
        {live === 'lost' && <Problem>The console does not answer. What you see is as it was.</Problem>}
        {lost.map(one => (
          <Problem key={one.name}>
            {plain(`${one.name} ${one.where}`)} cannot be reached: {plain(one.error ?? 'no answer')}. Its last lists
            stay.
          </Problem>
        ))}
        <View />
      </main>
    </>
  )
}

follow()
render(<App />, document.getElementById('app')!)
