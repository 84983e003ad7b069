import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { objectOf } from './manifests.js'

const COMMAND = ['--import', 'tsx', '--conditions=@laneway/source', 'packages/gateway/src/bin.ts']

/** The configuration of the manifests, on free ports and with the files and the registry of a test. */
function configOf(profile: string, folder: string, nacos: string): string {
  const text: string = objectOf(profile, 'ConfigMap', 'laneway-gateway').data['gateway.yaml']
  return text
    .replace('port: 8080', 'port: 0\n    host: 127.0.0.1')
    .replace('port: 9090', 'port: 0')
    .replace('/rules/', `${folder}/`)
    .replace('nacos-server:8848', nacos)
}

/** Starts the gateway of a profile. @param folder - where the rules are that its container beside it writes */
export async function startGateway(
  t: { teardown(end: () => unknown): unknown },
  profile: string,
  folder: string,
  nacos: string,
  env: Readonly<Record<string, string>> = {},
) {
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, configOf(profile, folder, nacos))
  const child = spawn(process.execPath, [...COMMAND, '--config', file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return new Promise<{ url: string; admin: string }>((resolve, reject) => {
    let output = ''
    child.stderr.on('data', chunk => {
      output += chunk
      const found = /listens on (\S+), admin on \S+:(\d+)/.exec(output)
      if (found !== null) resolve({ url: `http://${found[1]}`, admin: `http://127.0.0.1:${found[2]}` })
    })
    child.once('exit', () => reject(new Error(`the gateway ended: ${output}`)))
  })
}
