/** Asks the entrance, as curl does; what the services tell for the judgement is left out. */
export async function curl(url: string, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(new URL(path, url), { headers: { 'user-agent': 'curl/8.5.0', ...headers } })
  const text = (await response.text()).trim().replace(/\{[^}]*\}/g, '')
  return response.status === 200 ? text : `${response.status} ${text}`
}
