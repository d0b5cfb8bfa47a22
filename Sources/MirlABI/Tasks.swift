// The numbers of mirl_task.
import CMirl
import Mirl

extension Task {
    init?(_ task: mirl_task) {
        guard let known = Task.allCases.first(where: { $0.number == task }) else { return nil }
        self = known
    }

    var number: mirl_task {
        switch self {
        case .auto: MIRL_AUTO
        case .denoise: MIRL_DENOISE
        case .derain: MIRL_DERAIN
        case .dehaze: MIRL_DEHAZE
        }
    }
}
