import express from 'express'
// @ts-expect-error: the types of Express 4 are not installed beside those of 5
import express4 from 'express4'

/** The same tests for both. */
export const generations: readonly { name: string; express: typeof express }[] = [
  { name: 'Express 5', express },
  { name: 'Express 4', express: express4 },
]
