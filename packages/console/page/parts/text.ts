/** `now`, `40 s`, `12 min`, `3 h`, `2 d`: short, and seldom different. */
export function ageText(since: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - since) / 1000)
  if (seconds < 10) return 'now'
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** `just now`, `12 min ago`. */
export function agoText(since: number): string {
  const text = ageText(since)
  return text === 'now' ? 'just now' : `${text} ago`
}

/** Three digits: `0.12`, `4.7`, `120`, `3.4k`. */
export function numberText(value: number | null): string {
  if (value === null) return '-'
  if (value >= 10_000) return `${Math.round(value / 1000)}k`
  if (value >= 1000) return `${(value / 1000).toFixed(1)}k`
  if (value >= 100 || value === 0) return value.toFixed(0)
  return value >= 1 ? value.toFixed(1) : value.toFixed(2)
}

export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** What a registry says, without characters that change the direction or are no text. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
