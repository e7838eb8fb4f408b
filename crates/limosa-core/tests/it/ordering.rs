//! The order of dependencies, as properties.

use std::collections::HashMap;

use limosa_core::{Version, order};
use proptest::prelude::*;

proptest! {
    /// Edges that only lead back in some hidden order can always be ordered.
    #[test]
    fn an_order_is_found_and_right(count in 1usize..40, pairs in proptest::collection::vec((0usize..40, 0usize..40), 0..80), seed in any::<u64>()) {
        let hidden = shuffled(count, seed);
        let rank: HashMap<usize, usize> = hidden.iter().enumerate().map(|(rank, &node)| (node, rank)).collect();
        let edges: Vec<(usize, usize)> = pairs
            .into_iter()
            .map(|(one, other)| (one % count, other % count))
            .filter(|(one, other)| one != other)
            .map(|(one, other)| if rank[&one] > rank[&other] { (one, other) } else { (other, one) })
            .collect();
        let found = order(count, &edges).unwrap();
        let mut sorted = found.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        let place: HashMap<usize, usize> = found.iter().enumerate().map(|(place, &node)| (node, place)).collect();
        for (node, needs) in &edges {
            prop_assert!(place[needs] < place[node]);
        }
        // The same edges in any order, and twice, give the same.
        let mut again = edges.clone();
        again.reverse();
        again.extend(edges.iter().copied());
        prop_assert_eq!(&order(count, &again).unwrap(), &found);
        // Nothing stands behind a larger number without a reason: it needs something that stands there.
        for pair in found.windows(2) {
            if pair[0] > pair[1] {
                prop_assert!(edges.contains(&(pair[1], pair[0])));
            }
        }
    }

    #[test]
    fn a_cycle_is_real(count in 1usize..20, pairs in proptest::collection::vec((0usize..20, 0usize..20), 0..60)) {
        let edges: Vec<(usize, usize)> = pairs.into_iter().map(|(one, other)| (one % count, other % count)).collect();
        if let Err(cycle) = order(count, &edges) {
            let nodes = cycle.0;
            prop_assert!(!nodes.is_empty());
            for (at, node) in nodes.iter().enumerate() {
                prop_assert!(edges.contains(&(*node, nodes[(at + 1) % nodes.len()])));
            }
            prop_assert_eq!(nodes.iter().min(), nodes.first());
        }
    }

    #[test]
    fn versions_are_totally_ordered_and_read_back(one in "[0-9]{1,25}([._][0-9]{1,9}){0,3}", other in "[0-9]{1,25}([._][0-9]{1,9}){0,3}") {
        let (first, second) = (Version::parse(&one).unwrap(), Version::parse(&other).unwrap());
        prop_assert_eq!(first.cmp(&second), second.cmp(&first).reverse());
        prop_assert_eq!(first == second, first.cmp(&second).is_eq());
        prop_assert_eq!(&Version::parse(&first.to_string()).unwrap(), &first);
        prop_assert_eq!(Version::parse(&format!("000{one}")).unwrap(), first);
    }
}

/// Numbers below `count` in an order that the seed chooses.
fn shuffled(count: usize, mut seed: u64) -> Vec<usize> {
    let mut nodes: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        nodes.swap(at, (seed >> 33) as usize % (at + 1));
    }
    nodes
}
