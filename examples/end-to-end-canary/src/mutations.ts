import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Replacement {
  readonly file: string
  readonly from: string
  readonly to: string
}

/**
 * Faults that the judgement must find: what a service would do whose author wired the lane by hand, and wrongly. Each is
 * a change of a copy of the services.
 */
export const MUTATIONS: Readonly<Record<string, readonly Replacement[]>> = {
  'lane-below-retry': [
    {
      file: 'a.js',
      from: 'const app = express()',
      to: `const { currentLane } = await import('@laneway/core')
const ambient = dispatch => (opts, handler) => {
  const lane = currentLane()
  const { endpoint } = resolver.pick('sc-B', lane)
  const headers = lane === undefined ? opts.headers : { ...opts.headers, 'x-mse-tag': lane.header }
  return dispatch({ ...opts, origin: 'http://' + endpoint.address, headers }, handler)
}
const broken = new Agent({ connections: 8 }).compose(ambient, interceptors.retry({ maxRetries: 5, minTimeout: 20 }))
const app = express()`,
    },
    { file: 'a.js', from: 'dispatcher,\n  })', to: 'dispatcher: broken,\n  })' },
  ],
  'untagged-anywhere': [
    {
      file: 'entry.js',
      from: 'const server = createServer(',
      to: `const pick = resolver.pick.bind(resolver)
resolver.pick = (service, lane, tried) => pick(service, lane ?? (Math.random() < 0.5 ? gray : undefined), tried)
const server = createServer(`,
    },
  ],
  'header-not-forwarded': [
    { file: 'b.js', from: 'createLaneFetch({ resolver })', to: "createLaneFetch({ resolver, header: 'x-other-tag' })" },
  ],
}

/**
 * The folder to start the services from: the services themselves, or a copy with the fault built in.
 *
 * @returns the folder and what removes it again
 */
export function servicesFolder(
  root: string,
  name: 'services' | 'services-plain',
  mutation: string | undefined,
): { folder: string; remove(): void } {
  const original = join(root, name)
  if (mutation === undefined) return { folder: original, remove() {} }
  const folder = mkdtempSync(join(root, '.broken-'))
  cpSync(original, folder, { recursive: true })
  for (const { file, from, to } of MUTATIONS[mutation] ?? []) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`the fault ${mutation} no longer fits ${file}: ${from}`)
    writeFileSync(path, text.replace(from, to))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
