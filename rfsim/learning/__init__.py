"""The one idea: a trainer is a filter on a spectrum, and every loss is written once over a sample's or the limit's."""
