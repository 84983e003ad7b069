// Runs the first example of a package's README as it stands, beside the clients of this folder.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./', import.meta.url))

/** @returns what it printed, and what the README says that it prints */
export function readmeExample(name, env) {
  return example(`packages/${name}/README.md`, '', name, env)
}

/** The same for the recipe of a broker, a block with the broker's name. */
export function recipe(name, env) {
  return example('docs/guides/messages-and-jobs.md', ` ${name}`, name, env)
}

async function example(file, mark, name, env) {
  const text = readFileSync(`${folder}../../${file}`, 'utf8')
  const block = new RegExp(`^\`\`\`js${mark}\\n([\\s\\S]*?)^\`\`\`\\n\\n\`\`\`\\n([\\s\\S]*?)^\`\`\`$`, 'm')
  const [, source, expected] = block.exec(text)
  const place = `${folder}.readme-${process.pid}-${name}`
  mkdirSync(place, { recursive: true })
  writeFileSync(`${place}/example.mjs`, source)
  try {
    const args = ['--import', 'tsx', '--conditions=@laneway/source', `${place}/example.mjs`]
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, timeout: 60_000 })
    let printed = ''
    let errors = ''
    child.stdout.on('data', chunk => (printed += chunk))
    child.stderr.on('data', chunk => (errors += chunk))
    const code = await new Promise(resolve => child.once('close', resolve))
    return { code, printed, expected, errors }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
