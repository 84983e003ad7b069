import type { LanewayError } from '@laneway/core'
import type { RulesProblem } from '@laneway/rules'
import { type ConfigText, pathIn } from './config-text.js'

/** The problems of an error, each with its place in the file. */
export function placed(error: LanewayError, text: ConfigText): string[] {
  const list = error.cause
  if (error.code === 'LANEWAY_INVALID_RULES' && Array.isArray(list)) {
    return (list as RulesProblem[]).map(problem =>
      problem.line === undefined
        ? `${text.place(pathIn(problem.at))}: ${problem.at} ${problem.message}`
        : // A document of its own; the message says which.
          error.message.slice(error.code.length + 2).split('\n')[list.indexOf(problem)]!,
    )
  }
  if (error.code === 'LANEWAY_SOURCE') return [error.message.slice(error.code.length + 2)]
  const message = error.message.slice(error.code.length + 2).replace(/^createGateway: /, '')
  if (message.startsWith(text.file)) return [message]
  const path = pathIn(message.replace(/^the configuration has/, 'has'))
  return [`${text.place(path[0] === 'has' ? path.slice(1) : path)}: ${message}`]
}

/** A short route is checked as a manifest; what is wrong is said in its own words. */
export function placedRoute(error: LanewayError, text: ConfigText, index: number): string[] {
  const list = error.cause
  const problems = Array.isArray(list)
    ? (list as RulesProblem[]).map(({ at, message }) => `${at} ${message}`)
    : [error.message.slice(error.code.length + 2)]
  return problems.map(problem => {
    const message = problem
      .replace(/^(?:routes)?\[0\](?:\.spec\.rules\[0\]\.matches\[0\]|\.spec)?/, `routes[${index}]`)
      .replace(/^(routes\[\d+\]\.path)\.value/, '$1')
      .replace('.queryParams', '.query')
    return `${text.place(pathIn(message))}: ${message}`
  })
}

export function placedManifest(error: LanewayError, document: ConfigText, index: number): string[] {
  const list = error.cause
  const problems = Array.isArray(list)
    ? (list as RulesProblem[]).map(({ at, message }) => `${at} ${message}`.trim())
    : [error.message.slice(error.code.length + 2).replace(/^routes/, '')]
  return problems.map(problem => {
    const message = problem.replace(/^\[0\]\.?/, '')
    return `${document.place(pathIn(message), index)}: ${message}`
  })
}
