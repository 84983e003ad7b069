import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatPath, tracePath } from '@laneway/core'
import { kindOf } from '../manifests/kind-names.js'
import { readManifests } from '../manifests/read-manifests.js'
import type { Play } from '../play/play.js'
import { TRACE_TOKEN } from '../traced.js'
import { apply, hasPart } from './apply.js'
import { approve } from './approve.js'
import { config } from './config.js'
import { curl } from './curl.js'
import { deleteObjects } from './delete.js'
import { findObject } from './find-object.js'
import { get } from './get.js'
import { setImage } from './set-image.js'
import { undo } from './undo.js'
import { wait } from './wait.js'

type Command = (play: Play, argv: readonly string[], cwd: string) => Promise<string> | string

/** What a command of kubectl takes, in ms of the cluster: of two of them the second comes later. */
const COMMAND_MS = 100

const COMMANDS: Readonly<Record<string, Command>> = {
  apply({ cluster }, argv, cwd) {
    const { filename } = parseArgs({ args: [...argv], options: { filename: { type: 'string', short: 'f' } } }).values
    if (filename === undefined) throw new Error('error: must specify -f')
    cluster.journal.action(`apply ${filename}`)
    return apply(cluster, readManifests(resolve(cwd, filename))).join('\n')
  },
  async 'set-image'({ cluster }, argv) {
    const changes = changesOf(argv)
    for (const { deployment } of changes) findObject(cluster.store, 'Deployment', deployment)
    const printed = changes.map(
      ({ deployment, image, container }, index) =>
        new Promise<string[]>((resolve, reject) => {
          const change = () => {
            cluster.journal.action(`set image ${deployment}=${image.split(':').at(-1)}`)
            try {
              resolve(setImage(cluster, deployment, image, container))
            } catch (error) {
              reject(error)
            }
          }
          if (index === 0) change()
          else cluster.clock.after(index * COMMAND_MS, change)
        }),
    )
    return (await Promise.all(printed)).flat().join('\n')
  },
  get({ cluster }, argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { output: { type: 'string', short: 'o' } },
    })
    const [type = '', name] = positionals.flatMap(one => one.split('/'))
    return get(cluster, type, name, values.output)
  },
  async wait({ cluster }, argv) {
    const [type = '', name] = argv.flatMap(one => one.split('/'))
    return (await wait(cluster, kindOf(type), name)).join('\n')
  },
  approve({ cluster }, argv) {
    return rolloutsOf(argv)
      .flatMap(name => {
        cluster.journal.action(`approve ${name}`)
        return approve(cluster, name)
      })
      .join('\n')
  },
  undo({ cluster }, argv) {
    return rolloutsOf(argv)
      .flatMap(name => {
        cluster.journal.action(`undo ${name}`)
        return undo(cluster, name)
      })
      .join('\n')
  },
  async curl({ url }, argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        header: { type: 'string', short: 'H', multiple: true },
        times: { type: 'string', short: 'n', default: '1' },
      },
    })
    const headers = headersOf('curl', values.header)
    const answers: string[] = []
    for (let n = 0; n < Number(values.times); n++) answers.push(await curl(url, positionals[0] ?? '/a', headers))
    return answers.join('\n')
  },
  async trace({ url }, argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { header: { type: 'string', short: 'H', multiple: true } },
    })
    const headers = { 'x-laneway-trace': TRACE_TOKEN, ...headersOf('trace', values.header) }
    const { status, path } = await tracePath(new URL(positionals[0] ?? '/a', url), { headers })
    return path === undefined ? `${status}, without a path` : formatPath(path).trimEnd()
  },
  config,
  delete({ cluster }, argv, cwd) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { filename: { type: 'string', short: 'f' } },
    })
    const [type = '', name = ''] = positionals.flatMap(one => one.split('/'))
    const objects =
      values.filename === undefined
        ? [findObject(cluster.store, kindOf(type), name)]
        : readManifests(resolve(cwd, values.filename)).filter(hasPart)
    cluster.journal.action(`delete ${values.filename ?? `${type} ${name}`}`)
    return deleteObjects(cluster, objects).join('\n')
  },
}

export const isCommand = (word: string | undefined): boolean => word !== undefined && Object.hasOwn(COMMANDS, word)

/**
 * Runs one command in a play.
 *
 * @param cwd - what paths are relative to
 * @returns what it prints
 * @throws Error with what kubectl prints when it refuses
 */
export async function runCommand(play: Play, [word = '', ...argv]: readonly string[], cwd: string): Promise<string> {
  const command = COMMANDS[word]
  if (command === undefined) throw new Error(`error: unknown command "${word}", try --help`)
  return command(play, argv, cwd)
}

function headersOf(command: string, lines: readonly string[] = []): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`${command}: a header is "Name: value", received "${line}"`)
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return headers
}

/** `a=2.0.1`, or `deployment/spring-cloud-a spring-cloud-a=<image>` as for kubectl. */
function changesOf(argv: readonly string[]): { deployment: string; image: string; container?: string }[] {
  const named = /^deploy(?:ment)?(?:s|\.apps)?\/(.+)$/.exec(argv[0] ?? '')?.[1]
  const pairs = (named === undefined ? argv : argv.slice(1)).map(pair => /^([^=]+)=(\S+)$/.exec(pair))
  if (pairs.length === 0 || pairs.includes(null))
    throw new Error('error: set-image a=2.0.1, or deployment/<name> <container>=<image>')
  return pairs.map(pair => {
    const [, key = '', image = ''] = pair!
    if (named !== undefined) return { deployment: named, image, container: key }
    return { deployment: /^[abc]$/.test(key) ? `spring-cloud-${key}` : key, image }
  })
}

/** `rollout-a`, `rollout/rollout-a` or `a`. */
function rolloutsOf(argv: readonly string[]): string[] {
  if (argv.length === 0) throw new Error('error: required resource not specified')
  return argv.map(word => {
    const name = word.slice(word.indexOf('/') + 1)
    return /^[abc]$/.test(name) ? `rollout-${name}` : name
  })
}
