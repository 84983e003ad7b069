import { type Lane, LanewayError } from '@laneway/core'
import type { Choice } from '@laneway/discovery'

/** The error of a request whose pick gave no endpoint. */
export function noEndpoint(choice: Choice, lane: Lane | undefined, cause: Error | undefined): LanewayError {
  const { service, outcome } = choice
  const options = cause === undefined ? undefined : { cause }
  if (outcome === 'lane-required') {
    return new LanewayError(
      'LANEWAY_LANE_REQUIRED',
      `${service} has no usable endpoint of lane "${lane?.header}", and its policy says fail`,
      options,
    )
  }
  if (outcome === 'not-ready') {
    return new LanewayError('LANEWAY_NOT_READY', `no snapshot of ${service} has arrived yet`, options)
  }
  return new LanewayError(
    'LANEWAY_NO_BASE',
    `${service} has no endpoint for ${lane === undefined ? 'untagged requests' : `lane "${lane.header}"`}`,
    options,
  )
}
