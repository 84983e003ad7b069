import { call } from './call.mjs'

/** `(headers, form, fetched)` calls `/id-7/<form>` of what A wants, by `http.get` or by fetch. */
export function createAsk(kit) {
  const agent = kit.agent()
  const fetch = kit.laneway?.fetch ?? globalThis.fetch
  return async ({ 'x-to': to, 'x-id': id }, form, fetched = false) => {
    const url = `${kit.urls[to]}/id-${id}/${form}`
    return fetched ? (await fetch(url)).text() : call(url, agent)
  }
}
