//! Things made of each other: in which order they can be made, or the cycle that forbids it.

use std::collections::BTreeMap;

/// Positions so that each comes after all it needs; Err: positions of a cycle, in its order.
///
/// Needs that name nothing are skipped: whoever names them has been told.
pub(crate) fn order(things: &[(&str, Vec<&str>)]) -> Result<Vec<usize>, Vec<usize>> {
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, (name, _)) in things.iter().enumerate() {
        at.entry(name).or_insert(position);
    }
    let needs: Vec<Vec<usize>> =
        things.iter().map(|(_, needs)| needs.iter().filter_map(|n| at.get(n).copied()).collect()).collect();
    let mut needed_by = vec![Vec::new(); things.len()];
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (thing, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| needed_by[*need].push(thing));
    }
    let mut ordered: Vec<usize> = (0..things.len()).filter(|thing| open[*thing] == 0).collect();
    let mut next = 0;
    while let Some(&made) = ordered.get(next) {
        next += 1;
        for &thing in &needed_by[made] {
            open[thing] -= 1;
            if open[thing] == 0 {
                ordered.push(thing);
            }
        }
    }
    match (0..things.len()).find(|thing| open[*thing] > 0) {
        None => Ok(ordered),
        Some(stuck) => Err(cycle(stuck, &needs, &open)),
    }
}

/// Whatever is stuck needs something stuck: going on from one to the next must come round.
fn cycle(stuck: usize, needs: &[Vec<usize>], open: &[usize]) -> Vec<usize> {
    let mut path = vec![stuck];
    let mut place = vec![None; needs.len()];
    place[stuck] = Some(0);
    let mut here = stuck;
    while let Some(&next) = needs[here].iter().find(|need| open[**need] > 0) {
        if let Some(first) = place[next] {
            return path.split_off(first);
        }
        place[next] = Some(path.len());
        path.push(next);
        here = next;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_after_what_it_needs() {
        let things = [("a", vec!["b", "nothing"]), ("b", vec!["c"]), ("c", vec![])];
        assert_eq!(order(&things), Ok(vec![2, 1, 0]));
    }

    #[test]
    fn a_cycle_is_found_behind_what_leads_to_it() {
        let things = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"]), ("d", vec![])];
        assert_eq!(order(&things), Err(vec![1, 2]));
        assert_eq!(order(&[("a", vec!["a"])]), Err(vec![0]));
    }
}
