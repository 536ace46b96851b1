//! Which companies a list of endpoints depends on, and whose failure would stop all of them.

use std::fmt;

use saldo_reading::Role;

use crate::endpoint::Endpoint;
use crate::sorted::SortedMap;

/// A company whose failure stops every endpoint that depends on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Domain {
    /// The operator; the host where no operator was declared.
    Operator(String),
    /// The company of the edge (a content delivery network).
    Edge(String),
    /// The hosting company, or company and region.
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

/// Which companies the endpoints of one role depend on, as declared. A dependency that was not declared may be on any company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversity {
    /// The role of the endpoints.
    pub role: Role,
    /// How many endpoints there are.
    pub endpoints: usize,
    /// Their operators, as declared or else by host, sorted.
    pub operators: Vec<String>,
    /// Their hosting companies as far as declared, sorted.
    pub hosting: Vec<String>,
    /// The number of endpoints whose hosting was not declared.
    pub hosting_unknown: usize,
    /// Companies whose failure would stop all endpoints: each depends on it, as declared.
    pub stopped_by: Vec<Domain>,
    /// Companies whose failure might stop all endpoints: each depends on it, or its dependency was not declared.
    pub may_be_stopped_by: Vec<Domain>,
}

impl Diversity {
    /// The dependencies of the `endpoints` that are asked in `role`.
    pub fn of(role: Role, endpoints: &[Endpoint]) -> Self {
        let operators =
            distinct(endpoints.iter().map(|endpoint| (endpoint.operator_key(), endpoint.run_by())));
        let hosting = distinct(endpoints.iter().filter_map(Endpoint::hosted_by).map(by_name));
        let edges = distinct(endpoints.iter().filter_map(Endpoint::behind_edge_of).map(by_name));
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

    /// `count` endpoints depend on `domain`, and `unknown` ones may.
    fn weigh(&mut self, domain: Domain, count: usize, unknown: usize) {
        if count == self.endpoints {
            self.stopped_by.push(domain);
        } else if count.saturating_add(unknown) == self.endpoints {
            self.may_be_stopped_by.push(domain);
        }
    }
}

/// A company's name with the key under which its spellings are one.
fn by_name(name: &str) -> (String, &str) {
    (Endpoint::operator_key_of(name), name)
}

/// The names, one for each key, with how often each key occurs.
fn distinct<'a>(names: impl Iterator<Item = (String, &'a str)>) -> SortedMap<String, (String, usize)> {
    let mut distinct: SortedMap<String, (String, usize)> = SortedMap::new();
    for (key, name) in names {
        let (_, count) = distinct.entry(key).or_insert_with(|| (name.trim().to_owned(), 0));
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
    fn a_company_that_all_endpoints_depend_on_would_stop_them() {
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
    fn an_endpoint_whose_hosting_is_unknown_may_depend_on_any_company() {
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

    #[test]
    fn an_operator_is_counted_once_however_its_host_is_written() {
        let endpoints = ["https://node.example", "https://node.example.:8545", "https://www.node.example"];
        let endpoints = endpoints.map(|url| url.parse().unwrap());
        let diversity = Diversity::of(Role::Execution, &endpoints);
        assert_eq!(diversity.operators, ["node.example"]);
        assert_eq!(diversity.stopped_by, [Domain::Operator("node.example".to_owned())]);
    }
}
