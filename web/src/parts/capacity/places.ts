// What the numbers of places and nodes come to, and what ails a node, the worst first. Pure.
import type { Capacity, IngestNode } from '@/api/capacity'

/** A node tells every five seconds: after three of them it is silent, and its figures are old. */
const SILENT_SECONDS = 15

export const isSilent = (node: IngestNode) => node.silent_seconds > SILENT_SECONDS

export interface Total {
  used: number
  places: number
  viewers: number
}

/** Of the nodes that answer. */
export function totalOf(nodes: readonly IngestNode[]): Total {
  const heard = nodes.filter((node) => !isSilent(node))
  const sum = (of: (node: IngestNode) => number) => heard.reduce((total, node) => total + of(node), 0)
  return {
    used: sum((node) => node.publishers),
    places: sum((node) => node.max_publishers),
    viewers: sum((node) => node.viewers),
  }
}

/** What the setting gives each department; null: no limit. All nodes should have the same: the tightest is met first. */
export function houseLimit(nodes: readonly IngestNode[]): number | null {
  const told = nodes
    .filter((node) => !isSilent(node) && !node.edge)
    .map((node) => node.max_department_publishers)
  const limits = told.filter((limit): limit is number => limit !== null)
  return limits.length ? Math.min(...limits) : null
}

export const limitOf = (one: Capacity, house: number | null) => one.max_publishers ?? house

/** How many places are promised altogether, where every department has a limit; else nobody can say. */
export function promised(capacities: readonly Capacity[], house: number | null): number | null {
  const limits = capacities.map((one) => limitOf(one, house))
  return limits.some((limit) => limit === null)
    ? null
    : limits.reduce<number>((total, limit) => total + (limit ?? 0), 0)
}

export interface Trouble {
  /** Key under `nodes.troubles`. */
  code: string
  light: 'poor' | 'fair'
}

/** What ails a node, in order of what it costs: media that may be lost, classes that cannot begin, what can wait. */
export function troublesOf(node: IngestNode): Trouble[] {
  // What it said last says nothing of now.
  if (isSilent(node)) return [{ code: 'silent', light: 'poor' }]
  const found: Trouble[] = []
  if (node.disk === 'failing') found.push({ code: 'disk_failing', light: 'poor' })
  if (node.disk === 'full') found.push({ code: 'disk_full', light: 'poor' })
  if (node.uploads_failing_since) found.push({ code: 'uploads_failing', light: 'poor' })
  if (node.disk === 'low') found.push({ code: 'disk_low', light: 'fair' })
  if (node.stand_ins) found.push({ code: 'stand_ins', light: 'fair' })
  if (!node.edge && node.publishers >= node.max_publishers) found.push({ code: 'places_full', light: 'fair' })
  return found
}
