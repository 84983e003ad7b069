import { useEffect, useState } from 'preact/hooks'

/** What the address names: a view and its settings, `#map?lane=gray`. */
export interface Route {
  readonly view: string
  readonly settings: URLSearchParams
}

function read(): Route {
  const [view = '', query = ''] = location.hash.slice(1).split('?', 2)
  return { view, settings: new URLSearchParams(query) }
}

export function useRoute(): Route {
  const [route, set] = useState(read)
  useEffect(() => {
    const listener = () => set(read())
    addEventListener('hashchange', listener)
    return () => removeEventListener('hashchange', listener)
  }, [])
  return route
}

/** Changes settings of the view in the address, so that a link leads to the same picture. */
export function setRoute(view: string, settings: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(Object.entries(settings).filter(([, value]) => value !== ''))
  location.replace(`#${view}${query.size === 0 ? '' : `?${query}`}`)
}
