import { slot } from '../context/context-slot.js'

/** Whether Laneway is switched off for what begins now. */
export function isOff(): boolean {
  return slot.off === true
}

/**
 * Whether a call that begins now is left alone: Laneway is off, and the running code is in no lane. Code in a lane belongs to a
 * request that began before; it ends as it began.
 */
export function isLeftAlone(): boolean {
  return slot.off === true && slot.storage.getStore() === undefined
}

/** Switches Laneway on or off in this process, for requests and calls that begin from now on. Never throws. */
export function switchLaneway(on: boolean): void {
  if (isOff() === !on) return
  slot.off = !on
  if (on) {
    slot.ownColour = slot.colourWhenOn
    slot.colourWhenOn = undefined
  } else {
    slot.colourWhenOn = slot.ownColour
    slot.ownColour = undefined
  }
}
