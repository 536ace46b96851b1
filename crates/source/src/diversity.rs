//! What stands behind a list of endpoints, and what would take all of them away at once.

use std::collections::BTreeMap;
use std::fmt;

use saldo_reading::Role;

use crate::endpoint::Endpoint;

/// Something whose failure is the failure of every endpoint that depends on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Domain {
    /// Who runs it; by its host where that was not declared.
    Operator(String),
    /// The edge that it is behind.
    Edge(String),
    /// The company, or company and region, that hosts it.
    Hosting(String),
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Edge(name) => write!(f, "edge {name}"),
            Self::Hosting(name) => write!(f, "hosting {name}"),
        }
    }
}

/// What stands behind the endpoints of one role. By what was declared: what is not known may be shared with everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversity {
    /// What the endpoints are asked for.
    pub role: Role,
    /// How many endpoints there are.
    pub endpoints: usize,
    /// Who runs them, as declared or else by host, sorted.
    pub operators: Vec<String>,
    /// Where they are hosted, as far as that was declared, sorted.
    pub hosting: Vec<String>,
    /// Of how many endpoints it was not declared where they are hosted.
    pub hosting_unknown: usize,
    /// Whose failure would stop all of them: everything depends on it, as declared.
    pub stopped_by: Vec<Domain>,
    /// Whose failure might: whatever is not declared to be elsewhere depends on it.
    pub may_be_stopped_by: Vec<Domain>,
}

impl Diversity {
    /// Looks at the `endpoints` that are asked for `role`.
    pub fn of(role: Role, endpoints: &[Endpoint]) -> Self {
        let operators = distinct(endpoints.iter().map(Endpoint::run_by));
        let hosting = distinct(endpoints.iter().filter_map(Endpoint::hosted_by));
        let edges = distinct(endpoints.iter().filter_map(Endpoint::behind_edge_of));
        let all = endpoints.len();
        let mut diversity = Self {
            role,
            endpoints: all,
            hosting_unknown: endpoints.iter().filter(|endpoint| endpoint.hosted_by().is_none()).count(),
            stopped_by: Vec::new(),
            may_be_stopped_by: Vec::new(),
            operators: operators.values().map(|(name, _)| name.clone()).collect(),
            hosting: hosting.values().map(|(name, _)| name.clone()).collect(),
        };
        for (name, count) in operators.into_values() {
            diversity.weigh(Domain::Operator(name), count, 0);
        }
        let without_edge = endpoints.iter().filter(|endpoint| endpoint.behind_edge_of().is_none()).count();
        for (name, count) in edges.into_values() {
            diversity.weigh(Domain::Edge(name), count, without_edge);
        }
        for (name, count) in hosting.into_values() {
            let unknown = diversity.hosting_unknown;
            diversity.weigh(Domain::Hosting(name), count, unknown);
        }
        diversity
    }

    /// `count` endpoints depend on `domain`, and of `unknown` it is not known.
    fn weigh(&mut self, domain: Domain, count: usize, unknown: usize) {
        if count == self.endpoints {
            self.stopped_by.push(domain);
        } else if count.saturating_add(unknown) == self.endpoints {
            self.may_be_stopped_by.push(domain);
        }
    }
}

/// The names, each once whatever their case, with how often each occurs.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, (String, usize)> {
    let mut distinct: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for name in names {
        let (_, count) =
            distinct.entry(name.trim().to_lowercase()).or_insert_with(|| (name.trim().to_owned(), 0));
        *count = count.saturating_add(1);
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: &str, operator: &str, hosting: Option<&str>) -> Endpoint {
        let endpoint: Endpoint = format!("https://{name}.example").parse().unwrap();
        let endpoint = endpoint.operator(operator).unwrap();
        hosting.map_or(endpoint.clone(), |hosting| endpoint.clone().hosting(hosting).unwrap())
    }

    #[test]
    fn what_all_depend_on_would_stop_it() {
        let endpoints = [
            endpoint("a", "Alpha", Some("Cloud")),
            endpoint("b", "Beta", Some("cloud")),
            endpoint("c", "alpha ", Some("Cloud")),
        ];
        let diversity = Diversity::of(Role::Execution, &endpoints);
        assert_eq!((diversity.endpoints, diversity.operators.len()), (3, 2));
        assert_eq!((diversity.hosting.clone(), diversity.hosting_unknown), (vec!["Cloud".to_owned()], 0));
        assert_eq!(diversity.stopped_by, [Domain::Hosting("Cloud".to_owned())]);
        assert!(diversity.may_be_stopped_by.is_empty());
        let alone = Diversity::of(Role::Beacon, &endpoints[..1]);
        assert_eq!(alone.stopped_by.len(), 2);
        assert_eq!(alone.stopped_by[0].to_string(), "operator Alpha");
    }

    #[test]
    fn what_is_not_known_may_be_shared_with_everything() {
        let edge = endpoint("c", "Gamma", None).edge("Shield").unwrap();
        let endpoints = [endpoint("a", "Alpha", Some("Cloud")), endpoint("b", "Beta", None), edge];
        let diversity = Diversity::of(Role::Execution, &endpoints);
        assert!(diversity.stopped_by.is_empty());
        let may = [Domain::Edge("Shield".to_owned()), Domain::Hosting("Cloud".to_owned())];
        assert_eq!(diversity.may_be_stopped_by, may);
        let two = [endpoint("a", "Alpha", Some("Cloud")), endpoint("b", "Beta", Some("Cellar"))];
        assert!(Diversity::of(Role::Execution, &two).may_be_stopped_by.is_empty());
        assert_eq!(Diversity::of(Role::Execution, &[]).stopped_by, []);
    }
}
