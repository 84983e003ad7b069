// The schemas of the resources that the walkthrough's manifests use. LANEWAY_CRDS names a folder with them (below it, too);
// without it they are read from the Go modules that publish them. Nothing of them is kept in this repository. MSE publishes no
// schema: test/walkthrough/mse-ingress-config.yaml is one of our own, after its documentation.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MODULES = [
  { module: 'github.com/openkruise/rollouts@v0.6.2', folder: 'config/crd/bases' },
  { module: 'sigs.k8s.io/gateway-api@v1.6.3', folder: 'config/crd/standard' },
]

/** Files of CustomResourceDefinitions, one each: `{ files }`; or why there are none: `{ problem }`. */
export function findCrds() {
  const folders = []
  if (process.env.LANEWAY_CRDS) folders.push(process.env.LANEWAY_CRDS)
  else {
    for (const { module, folder } of MODULES) {
      const { status, stdout } = spawnSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8', cwd: '/' })
      if (status !== 0) return { problem: 'LANEWAY_CRDS is not set, and Go cannot load the modules that have them' }
      folders.push(join(JSON.parse(stdout).Dir, folder))
    }
  }
  const files = folders.flatMap(folder =>
    readdirSync(folder, { recursive: true })
      .filter(name => name.endsWith('.yaml'))
      .map(name => join(folder, name))
      .filter(file => readFileSync(file, 'utf8').includes('kind: CustomResourceDefinition')),
  )
  if (files.length === 0) return { problem: `no CustomResourceDefinition in ${folders.join(', ')}` }
  return { files: [...files, fileURLToPath(new URL('../../walkthrough/mse-ingress-config.yaml', import.meta.url))] }
}
