//! The order of changes: dependencies first, then versions, the same every time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// A cycle: indexes in order, each depending on the next, the last on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

/// Orders `count` nodes, numbered in their natural order, so that each comes after the nodes it depends on; where
/// several may come next, the smallest number does (Kahn's algorithm with a heap).
///
/// `edges` holds pairs (node, what it depends on). Takes O((nodes + edges) log nodes).
///
/// # Errors
/// One [`Cycle`], the one that holds the smallest node.
pub fn order(count: usize, edges: &[(usize, usize)]) -> Result<Vec<usize>, Cycle> {
    let edges: BTreeSet<(usize, usize)> = edges.iter().copied().collect();
    let mut waiting = vec![0usize; count];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(node, needs) in &edges {
        waiting[node] += 1;
        dependents[needs].push(node);
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count).filter(|&node| waiting[node] == 0).map(Reverse).collect();
    let mut ordered = Vec::with_capacity(count);
    while let Some(Reverse(node)) = ready.pop() {
        ordered.push(node);
        for &dependent in &dependents[node] {
            waiting[dependent] -= 1;
            if waiting[dependent] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    if ordered.len() == count {
        return Ok(ordered);
    }
    Err(find_cycle(&waiting, &edges))
}

fn find_cycle(waiting: &[usize], edges: &BTreeSet<(usize, usize)>) -> Cycle {
    let stuck: BTreeSet<usize> = (0..waiting.len()).filter(|&node| waiting[node] > 0).collect();
    // Each stuck node has a stuck dependency; walking them must come back to a node seen before.
    let next: BTreeMap<usize, usize> =
        edges.iter().rev().filter(|(node, needs)| stuck.contains(node) && stuck.contains(needs)).copied().collect();
    let mut path = Vec::new();
    let mut here = stuck.iter().copied().find(|node| next.contains_key(node)).unwrap_or_default();
    loop {
        if let Some(at) = path.iter().position(|&seen| seen == here) {
            let mut cycle: Vec<usize> = path.split_off(at);
            let smallest = cycle.iter().enumerate().min_by_key(|&(_, node)| node).map_or(0, |(at, _)| at);
            cycle.rotate_left(smallest);
            return Cycle(cycle);
        }
        path.push(here);
        match next.get(&here) {
            Some(&needs) => here = needs,
            None => return Cycle(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_ties_keep_their_order() {
        assert_eq!(order(4, &[]).unwrap(), [0, 1, 2, 3]);
        assert_eq!(order(4, &[(0, 2), (1, 0)]).unwrap(), [2, 0, 1, 3]);
        assert_eq!(order(3, &[(0, 2), (0, 2)]).unwrap(), [1, 2, 0]);
    }

    #[test]
    fn a_cycle_is_named_from_its_smallest_member() {
        assert_eq!(order(4, &[(3, 1), (1, 2), (2, 3)]).unwrap_err(), Cycle(vec![1, 2, 3]));
        assert_eq!(order(1, &[(0, 0)]).unwrap_err(), Cycle(vec![0]));
        // Node 0 only leads into the cycle.
        assert_eq!(order(3, &[(0, 1), (1, 2), (2, 1)]).unwrap_err(), Cycle(vec![1, 2]));
    }
}
