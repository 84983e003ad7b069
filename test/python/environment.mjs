// Makes a virtual environment with the releases of OpenTelemetry for Python that the chain runs with. Each is installed once.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../.cache/python/', import.meta.url))
const ATTEMPTS = 3

/**
 * Releases that read and write baggage each in its own way. The newest undoes `+` and escapes, and strips white space. 1.12
 * also makes keys lower case. 1.0 keeps `+`, and writes a decoded key as it is.
 */
export const RELEASES = {
  '1.45.2': ['opentelemetry-api==1.45.2', 'typing_extensions==4.16.0'],
  '1.12.0': ['opentelemetry-api==1.12.0', 'Deprecated==1.2.18', 'wrapt==1.17.3', 'setuptools==69.5.1'],
  '1.0.0': ['opentelemetry-api==1.0.0', 'setuptools==69.5.1'],
}

/**
 * @returns {Promise<{ python: string, releases: Map<string, string>, absent: Map<string, string> } | { problem: string }>}
 * the interpreter, the folder of each release, and why the others are not there
 */
export async function pythonEnvironment() {
  const python = process.env['PYTHON'] ?? 'python3'
  let version
  try {
    version = (await run(python, ['-c', 'import platform; print(platform.python_version())'])).stdout.trim()
  } catch (error) {
    return { problem: `${python} does not run: ${lastLine(error)}` }
  }
  const folder = `${cache}${version}/`
  const own = `${folder}venv/bin/python`
  try {
    if (!existsSync(`${folder}venv/ready`)) {
      rmSync(`${folder}venv`, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      await run(python, ['-m', 'venv', `${folder}venv`])
      writeFileSync(`${folder}venv/ready`, '')
    }
  } catch (error) {
    return { problem: `${python} ${version} makes no virtual environment: ${lastLine(error)}` }
  }
  const releases = new Map()
  const absent = new Map()
  for (const [release, packages] of Object.entries(RELEASES)) {
    const target = `${folder}opentelemetry-${release}`
    const problem = await installed(own, target, packages)
    if (problem === undefined) releases.set(release, target)
    else absent.set(release, problem)
  }
  return { python: own, releases, absent }
}

async function installed(python, target, packages) {
  const wanted = packages.join('\n')
  const list = `${target}/packages.txt`
  if (existsSync(list) && readFileSync(list, 'utf8') === wanted) return undefined
  console.log(`installing ${packages[0]} ...`)
  let problem
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const part = `${target}.part`
    rmSync(part, { recursive: true, force: true })
    rmSync(target, { recursive: true, force: true })
    try {
      const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--target', part]
      await run(python, ['-m', 'pip', 'install', ...options, ...packages])
      renameSync(part, target)
      writeFileSync(list, wanted)
      return undefined
    } catch (error) {
      problem = lastLine(error)
    }
  }
  return problem
}

function lastLine(error) {
  return String(error.stderr || error.message)
    .trim()
    .split('\n')
    .at(-1)
}
