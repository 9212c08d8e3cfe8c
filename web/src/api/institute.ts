// The institute: departments, the eight modules of article 10, programmes and cohorts.
import { get } from './client'
import type { Uuid } from './shapes'

export interface Department {
  id: Uuid
  slug: string
  name_zh: string
  name_en: string
}

export interface Module extends Department {
  position: number
  department_id: Uuid
}

export interface Programme {
  id: Uuid
  module_id: Uuid
  department_id: Uuid
  slug: string
  title: string
}

export interface Institute {
  departments: Department[]
  modules: Module[]
  programmes: Programme[]
  cohorts: { id: Uuid; programme_id: Uuid; slug: string; title: string }[]
}

export const readInstitute = () => get<Institute>('/institute')
